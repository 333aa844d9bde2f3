using System.Buffers.Binary;
using System.Numerics;

namespace Sora.Training.Metrics;

/// <summary>
/// TensorFlow's file of records: length, a checksum of the length, data, a checksum of the data, all little-endian.
/// Checksums are CRC-32C (RFC 3720), turned by 15 bits and moved by a constant (tensorflow/core/lib/hash/crc32c.h).
/// </summary>
internal static class RecordFraming
{
    private const uint MaskDelta = 0xa282ead8;

    /// <summary>A record around its data.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> data)
    {
        var record = new byte[sizeof(ulong) + sizeof(uint) + data.Length + sizeof(uint)];
        Span<byte> length = record.AsSpan(0, sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(ulong)), Masked(length));
        data.CopyTo(record.AsSpan(sizeof(ulong) + sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - sizeof(uint)), Masked(data));
        return record;
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + MaskDelta;
    }
}
