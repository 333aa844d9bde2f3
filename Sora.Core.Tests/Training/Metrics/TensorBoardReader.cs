using System.Buffers.Binary;
using System.Text;
using Xunit;

namespace Sora.Tests.Training.Metrics;

/// <summary>
/// Reads event files knowing nothing of how they were written: records with their checksums bit by bit, and protobuf's wire
/// format as field numbers with their values.
/// </summary>
internal static class TensorBoardReader
{
    /// <summary>One field of a message: a number, or the bytes of a text or of another message.</summary>
    public sealed record Field(int Number, ulong Value, byte[] Bytes)
    {
        public double Double => BitConverter.UInt64BitsToDouble(Value);

        public float Float => BitConverter.UInt32BitsToSingle((uint)Value);

        public string Text => Encoding.UTF8.GetString(Bytes);

        public ILookup<int, Field> Message => Parse(Bytes);
    }

    public static IReadOnlyList<ILookup<int, Field>> Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        var events = new List<ILookup<int, Field>>();
        for (int at = 0; at < file.Length;)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            Assert.Equal(Masked(file.AsSpan(at + 12, length)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            events.Add(Parse(file.AsSpan(at + 12, length).ToArray()));
            at += length + 16;
        }
        return events;
    }

    /// <summary>CRC-32C by its polynomial, a bit at a time.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = 0xffffffff;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
        }
        return ~crc;
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = Crc32C(data);
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    private static ILookup<int, Field> Parse(byte[] message)
    {
        var fields = new List<Field>();
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint();
            int number = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    fields.Add(new(number, Varint(), []));
                    break;
                case 1:
                    fields.Add(new(number, BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at)), []));
                    at += 8;
                    break;
                case 5:
                    fields.Add(new(number, BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at)), []));
                    at += 4;
                    break;
                case 2:
                    int length = (int)Varint();
                    fields.Add(new(number, 0, message.AsSpan(at, length).ToArray()));
                    at += length;
                    break;
                default:
                    throw new InvalidDataException($"Wire type {key & 7}.");
            }
        }
        return fields.ToLookup(f => f.Number);

        ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte part = message[at++];
                value |= (ulong)(part & 127) << shift;
                if (part < 128)
                    return value;
            }
        }
    }
}
