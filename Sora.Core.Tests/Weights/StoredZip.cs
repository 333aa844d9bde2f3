using System.Buffers.Binary;
using System.Text;

namespace Sora.Tests.Weights;

/// <summary>A zip file without compression, as torch.save writes it, on request with the fields of files above 4 GB.</summary>
internal static class StoredZip
{
    public static byte[] Of(IEnumerable<(string Name, byte[] Data)> entries, bool wide = false)
    {
        using var file = new MemoryStream();
        using var directory = new MemoryStream();
        int count = 0;
        foreach ((string name, byte[] data) in entries)
        {
            byte[] text = Encoding.UTF8.GetBytes(name);
            long local = file.Position;
            int padding = (int)((64 - ((local + 30 + text.Length) % 64)) % 64);
            Write(file, 0x04034b50u, (ushort)0, (ushort)0, (ushort)0, 0u, 0u, (uint)data.Length, (uint)data.Length, (ushort)text.Length, (ushort)padding);
            file.Write(text);
            file.Write(new byte[padding]);
            file.Write(data);
            uint size = wide ? uint.MaxValue : (uint)data.Length;
            Write(directory, 0x02014b50u, (ushort)0, (ushort)0, (ushort)0, (ushort)0, 0u, 0u, size, size, (ushort)text.Length,
                (ushort)(wide ? 28 : 0), (ushort)0, (ushort)0, (ushort)0, 0u, wide ? uint.MaxValue : (uint)local);
            directory.Write(text);
            if (wide)
                Write(directory, (ushort)1, (ushort)24, (ulong)data.Length, (ulong)data.Length, (ulong)local);
            count++;
        }
        long start = file.Position;
        file.Write(directory.ToArray());
        long end = file.Position;
        if (wide)
        {
            Write(file, 0x06064b50u, 44UL, (ushort)45, (ushort)45, 0u, 0u, (ulong)count, (ulong)count, (ulong)directory.Length, (ulong)start);
            Write(file, 0x07064b50u, 0u, (ulong)end, 1u);
        }
        Write(file, 0x06054b50u, (ushort)0, (ushort)0, (ushort)(wide ? ushort.MaxValue : count), (ushort)(wide ? ushort.MaxValue : count),
            wide ? uint.MaxValue : (uint)directory.Length, wide ? uint.MaxValue : (uint)start, (ushort)0);
        return file.ToArray();
    }

    private static void Write(Stream stream, params object[] fields)
    {
        Span<byte> bytes = stackalloc byte[8];
        foreach (object field in fields)
        {
            int length = field is ushort ? 2 : field is uint ? 4 : 8;
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, Convert.ToUInt64(field, null));
            stream.Write(bytes[..length]);
        }
    }
}
