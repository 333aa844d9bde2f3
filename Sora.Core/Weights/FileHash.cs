using System.Security.Cryptography;
using System.Text;

namespace Sora.Weights;

/// <summary>
/// Hashes of files' contents. Of a file above 64 MB sixteen evenly spread megabytes are read, so that files of many gigabytes
/// take no minutes; its length is always part of the hash.
/// </summary>
internal static class FileHash
{
    private const long WholeUpTo = 64_000_000;
    private const int Samples = 16;
    private const int SampleBytes = 1_000_000;

    /// <summary>Thirty-two hexadecimal digits of SHA-256 over a file's content; the name does not matter.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string Of(string path)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, "", path);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    /// <summary>Adds a file's name, length and content to a hash.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="name">What the file is called in it.</param>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops within a megabyte.</param>
    public static void Add(IncrementalHash hash, string name, string path, CancellationToken cancellationToken = default)
    {
        using FileStream file = File.OpenRead(path);
        hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{name}\0{file.Length}\0")));
        var buffer = new byte[SampleBytes];
        if (file.Length <= WholeUpTo)
        {
            for (int read; (read = file.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
            }
            return;
        }
        for (int i = 0; i < Samples; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            file.Position = (file.Length - SampleBytes) / (Samples - 1) * i;
            file.ReadExactly(buffer);
            hash.AppendData(buffer);
        }
    }
}
