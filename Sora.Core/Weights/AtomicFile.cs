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
    /// <remarks>Who has the file of before open, or mapped, keeps that.</remarks>
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

    /// <summary>Copies a file so.</summary>
    /// <param name="source">The file.</param>
    /// <param name="path">The final name; a file of this name is replaced.</param>
    /// <exception cref="SoraException">The source cannot be read or the file not be written.</exception>
    public static void Copy(string source, string path)
    {
        FileStream from;
        try
        {
            from = File.OpenRead(source);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"{source}: cannot be read: {e.Message}", e);
        }
        using (from)
            Write(path, from.Length, from.CopyTo);
    }

    /// <summary>Removes what a process that was killed while it wrote left beside a file that nobody else writes.</summary>
    /// <param name="path">The final name.</param>
    /// <exception cref="SoraException">A file cannot be removed.</exception>
    public static void RemoveAbandoned(string path)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && Directory.Exists(folder))
            {
                foreach (string file in Directory.EnumerateFiles(folder, $"{Path.GetFileName(path)}.*.tmp"))
                    File.Delete(file);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"What was left beside {path} cannot be removed: {e.Message}", e);
        }
    }
}
