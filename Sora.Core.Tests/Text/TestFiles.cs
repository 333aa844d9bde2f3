using System.IO.Compression;

namespace Sora.Tests.Text;

/// <summary>Files of the test project's Fixtures folder.</summary>
internal static class TestFiles
{
    public static string Folder(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    public static byte[] ReadCompressed(string folder, string name)
    {
        using FileStream file = File.OpenRead(Path.Combine(Folder(folder), name));
        using var content = new GZipStream(file, CompressionMode.Decompress);
        using var copy = new MemoryStream();
        content.CopyTo(copy);
        return copy.ToArray();
    }
}
