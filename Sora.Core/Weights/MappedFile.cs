using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sora.Weights;

/// <summary>
/// A file mapped into memory for reading: nothing is read before it is touched. The file must not shrink while it is open.
/// </summary>
internal sealed unsafe partial class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _start;

    /// <summary>MADV_DONTNEED of Linux; the pages of a mapped file lose nothing by it (madvise(2)).</summary>
    private const int DontNeed = 4;

    private MappedFile(string path, SafeFileHandle file, long length)
    {
        (Path, Length) = (path, length);
        _mapping = MemoryMappedFile.CreateFromFile(
            file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    /// <summary>The path as it was given.</summary>
    public string Path { get; }

    /// <summary>The size of the file in bytes.</summary>
    public long Length { get; }

    /// <summary>The address of the first byte.</summary>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public byte* Start
    {
        get
        {
            ObjectDisposedException.ThrowIf(_start is null, this);
            return _start;
        }
    }

    /// <summary>Maps a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="leastLength">The shortest that a file of this format can be, 1 byte at least.</param>
    /// <param name="format">The format, as in <c>a GGUF file</c>.</param>
    /// <exception cref="SoraException">The file is missing, cannot be read, or is shorter than that.</exception>
    public static MappedFile Open(string path, int leastLength, string format)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfLessThan(leastLength, 1);
        try
        {
            using SafeFileHandle file = File.OpenHandle(path);
            long length = RandomAccess.GetLength(file);
            return length >= leastLength
                ? new MappedFile(path, file, length)
                : throw new SoraException($"{path}: {length} bytes are too short for {format}, which has {leastLength} at least.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SoraException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// Lets go of the pages of a part that was copied, so that the process does not count the file beside the copy. They stay in
    /// the system's cache while there is room, and reading them again brings them back.
    /// </summary>
    public void Release(long offset, long length)
    {
        if (!OperatingSystem.IsLinux())
            return;
        // Whole pages alone: those at the ends hold something else too.
        long page = Environment.SystemPageSize, first = (offset + page - 1) / page * page, end = (offset + length) / page * page;
        if (end > first)
            _ = Advise((nint)(Start + first), (nuint)(end - first), DontNeed); // Advice: where it is not taken, nothing is lost.
    }

    /// <summary>Unmaps the file; addresses in it become invalid.</summary>
    public void Dispose()
    {
        if (_start is null)
            return;
        _start = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _mapping.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
