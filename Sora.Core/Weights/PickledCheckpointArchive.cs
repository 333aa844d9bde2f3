using System.Buffers.Binary;
using System.Text;

namespace Sora.Weights;

/// <summary>
/// The directory of a zip file as torch.save writes it: every entry stored without compression, so that its bytes can be used
/// where they are. Files above 4 GB have the 64-bit fields (PKWARE APPNOTE.TXT, sections 4.3 and 4.5.3).
/// </summary>
internal static unsafe class PickledCheckpointArchive
{
    private const uint EndSignature = 0x06054b50;
    private const uint End64LocatorSignature = 0x07064b50;
    private const uint End64Signature = 0x06064b50;
    private const uint EntrySignature = 0x02014b50;
    private const uint LocalSignature = 0x04034b50;

    private const int EndLength = 22;
    private const int LocatorLength = 20;
    private const int End64Length = 56;
    private const int EntryLength = 46;
    private const int LocalLength = 30;
    private const int LongestComment = ushort.MaxValue;

    /// <summary>Finds the entries of the archive that fills a piece of memory.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="start">The first byte.</param>
    /// <param name="length">How many bytes there are.</param>
    /// <returns>Where the data of each entry is, by name.</returns>
    /// <exception cref="SoraException">The archive is damaged or compressed.</exception>
    public static Dictionary<string, (long Offset, long Length)> Read(string path, byte* start, long length)
    {
        var file = new Bytes(path, start, length);
        (long offset, long size, long count) = Directory(file);
        if (count > size / EntryLength)
            throw file.Damaged($"its directory of {size} bytes cannot hold {count} entries");
        var entries = new Dictionary<string, (long, long)>();
        for (long i = 0, at = offset; i < count; i++)
        {
            ReadOnlySpan<byte> entry = file.At(at, EntryLength);
            if (BinaryPrimitives.ReadUInt32LittleEndian(entry) != EntrySignature)
                throw file.Damaged($"entry {i} of its directory is not one");
            int nameLength = U16(entry, 28), extraLength = U16(entry, 30), commentLength = U16(entry, 32);
            string name = Encoding.UTF8.GetString(file.At(at + EntryLength, nameLength));
            ReadOnlySpan<byte> extra = file.At(at + EntryLength + nameLength, extraLength);
            at += EntryLength + nameLength + extraLength + commentLength;
            if (name.EndsWith('/'))
                continue;
            if (U16(entry, 10) != 0 || (U16(entry, 8) & 1) != 0)
                throw new SoraException($"{path}: {name} is compressed or encrypted; torch.save stores its data plainly.");
            (long local, long stored) = Location(file, entry, extra, name);
            if (!entries.TryAdd(name, (Data(file, local, stored, name), stored)))
                throw file.Damaged($"it holds {name} twice");
        }
        return entries;
    }

    private static (long Offset, long Size, long Count) Directory(Bytes file)
    {
        long end = FindEnd(file);
        ReadOnlySpan<byte> record = file.At(end, EndLength);
        long count = U16(record, 10), size = U32(record, 12), offset = U32(record, 16);
        if (count != ushort.MaxValue && size != uint.MaxValue && offset != uint.MaxValue)
            return (offset, size, count);
        if (end < LocatorLength || BinaryPrimitives.ReadUInt32LittleEndian(file.At(end - LocatorLength, 4)) != End64LocatorSignature)
            return (offset, size, count);
        ReadOnlySpan<byte> locator = file.At(end - LocatorLength, LocatorLength);
        ReadOnlySpan<byte> record64 = file.At(BinaryPrimitives.ReadInt64LittleEndian(locator[8..]), End64Length);
        if (BinaryPrimitives.ReadUInt32LittleEndian(record64) != End64Signature)
            throw file.Damaged("the 64-bit record of its directory is missing");
        return (BinaryPrimitives.ReadInt64LittleEndian(record64[48..]), BinaryPrimitives.ReadInt64LittleEndian(record64[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(record64[32..]));
    }

    /// <summary>The last record of the file, which only a comment may follow.</summary>
    private static long FindEnd(Bytes file)
    {
        for (long at = file.Length - EndLength; at >= 0 && at >= file.Length - EndLength - LongestComment; at--)
            if (BinaryPrimitives.ReadUInt32LittleEndian(file.At(at, 4)) == EndSignature)
                return at;
        throw file.Damaged("its directory is missing; the file is cut short");
    }

    private static (long Local, long Stored) Location(Bytes file, ReadOnlySpan<byte> entry, ReadOnlySpan<byte> extra, string name)
    {
        long stored = U32(entry, 20), plain = U32(entry, 24), local = U32(entry, 42);
        // The 64-bit values stand for those that are at their maximum, in this order.
        ReadOnlySpan<byte> wide = Extra64(extra);
        if (plain == uint.MaxValue)
            plain = Next(ref wide);
        if (stored == uint.MaxValue)
            stored = Next(ref wide);
        if (local == uint.MaxValue)
            local = Next(ref wide);
        return plain == stored ? (local, stored) : throw file.Damaged($"{name} has two sizes, {stored} and {plain}");

        long Next(ref ReadOnlySpan<byte> values)
        {
            if (values.Length < sizeof(long))
                throw file.Damaged($"{name} lacks its 64-bit size");
            long value = BinaryPrimitives.ReadInt64LittleEndian(values);
            values = values[sizeof(long)..];
            return value;
        }
    }

    private static ReadOnlySpan<byte> Extra64(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int id = U16(extra, 0), length = Math.Min(U16(extra, 2), extra.Length - 4);
            if (id == 1)
                return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }
        return [];
    }

    /// <summary>Where the data starts: after the local header, whose name and padding differ from the directory's.</summary>
    private static long Data(Bytes file, long local, long length, string name)
    {
        ReadOnlySpan<byte> header = file.At(local, LocalLength);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != LocalSignature)
            throw file.Damaged($"{name} is not where its directory says");
        long offset = local + LocalLength + U16(header, 26) + U16(header, 28);
        return length >= 0 && offset <= file.Length - length
            ? offset
            : throw file.Damaged($"{name} of {length} bytes ends after the file");
    }

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private readonly struct Bytes(string path, byte* start, long length)
    {
        private readonly byte* _start = start;

        public long Length => length;

        public ReadOnlySpan<byte> At(long offset, int count) =>
            offset >= 0 && offset <= length - count
                ? new ReadOnlySpan<byte>(_start + offset, count)
                : throw Damaged("a record lies outside the file");

        public SoraException Damaged(string how) => new($"{path}: the archive is damaged: {how}.");
    }
}
