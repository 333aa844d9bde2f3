using System.Runtime.CompilerServices;

namespace Sora.Weights;

/// <summary>
/// A GGUF file, mapped into memory: opening reads what lies before the data, those are paged in where they are touched.
/// Reading from several threads is safe; disposing while another reads is not.
/// </summary>
internal sealed unsafe class GgufFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly OrderedDictionary<string, GgufEntry> _entries;
    private readonly Dictionary<string, GgufArray> _arrays;

    private GgufFile(MappedFile file)
    {
        _file = file;
        try
        {
            (_entries, Dictionary<string, object> metadata, _arrays) = GgufHeader.Parse(file);
            Metadata = metadata;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The path as it was given.</summary>
    public string Path => _file.Path;

    /// <summary>The tensors by name, in the order of their data.</summary>
    public IReadOnlyDictionary<string, GgufEntry> Entries => _entries;

    /// <summary>Numbers, truth values and texts about the whole file; its arrays are <see cref="Texts"/> and <see cref="Numbers"/>.</summary>
    public IReadOnlyDictionary<string, object> Metadata { get; }

    /// <summary>The kind of network, such as <c>wan</c> or <c>t5encoder</c>; null where the file does not say.</summary>
    public string? Architecture => Metadata.GetValueOrDefault("general.architecture") as string;

    /// <summary>An array of texts in UTF-8; null where the file has none of that name.</summary>
    public IReadOnlyList<byte[]>? Texts(string key) => _arrays.TryGetValue(key, out GgufArray? array) && array.Type == GgufArray.Text ? Read(array) : null;

    /// <summary>An array of numbers of a type; null where the file has none of that name and type.</summary>
    public T[]? Numbers<T>(string key) where T : unmanaged =>
        _arrays.TryGetValue(key, out GgufArray? array) && array.Type == GgufArray.TypeOf<T>()
            ? new ReadOnlySpan<T>(_file.Start + array.Position, array.Count).ToArray()
            : null;

    /// <summary>Maps a file and checks what it says about its data.</summary>
    /// <exception cref="SoraException">
    /// The file is missing, cannot be read, is truncated, breaks the format, or holds a quantisation that is not known.
    /// </exception>
    public static GgufFile Open(string path) => new(MappedFile.Open(path, GgufHeader.LeastLength, "a GGUF file"));

    /// <summary>The address of the data of a tensor, the same until the file is closed.</summary>
    public nint Pointer(GgufEntry entry) => (nint)(_file.Start + entry.ByteOffset);

    /// <summary>Lets go of the memory of a tensor that was copied; see <see cref="MappedFile.Release"/>.</summary>
    public void Release(GgufEntry entry) => _file.Release(entry.ByteOffset, entry.ByteLength);

    // The header was checked: every text lies in the file.
    private byte[][] Read(GgufArray array)
    {
        var texts = new byte[array.Count][];
        byte* position = _file.Start + array.Position;
        for (int i = 0; i < texts.Length; i++)
        {
            int length = checked((int)Unsafe.ReadUnaligned<ulong>(position));
            texts[i] = new ReadOnlySpan<byte>(position + sizeof(ulong), length).ToArray();
            position += sizeof(ulong) + length;
        }
        return texts;
    }

    /// <summary>Unmaps the file; pointers into it become invalid.</summary>
    public void Dispose() => _file.Dispose();
}
