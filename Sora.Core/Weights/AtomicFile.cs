namespace Sora.Weights;

/// <summary>Writes files that are either complete or absent.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes to a temporary file beside <paramref name="path"/>, then renames it: whoever opens the path sees the old
    /// content or the new, never a part.
    /// </summary>
    /// <param name="path">The final name; a file of this name is replaced.</param>
    /// <param name="size">The final size where it is known, so that a full disk is noticed at once; else 0.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="SoraException">The file cannot be written.</exception>
    public static void Write(string path, long size, Action<FileStream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string temporary = $"{path}.{Path.GetRandomFileName()}.tmp";
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                PreallocationSize = size,
            };
            using (var stream = new FileStream(temporary, options))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e)
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
            // The runtime tells of a file above the process's limit (EFBIG) by the last of these.
            if (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" })
                throw new SoraException($"{path}: cannot be written: {e.Message}", e);
            throw;
        }
    }
}
