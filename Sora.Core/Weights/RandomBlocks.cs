using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Sora.Layers;

namespace Sora.Weights;

/// <summary>
/// Initial values as quantised blocks at the speed of a disk: random levels under scales that give a matrix the standard
/// deviation of its initialisation. Levels are equally probable, so that every distribution becomes a uniform one.
/// </summary>
internal static class RandomBlocks
{
    private const int BufferBlocks = 4096;

    /// <summary>The standard deviation of 256 equally probable levels a step apart: √((256² − 1) / 12).</summary>
    private const double ByteDeviation = 73.899;

    /// <summary>The same of 16 levels, and their mean.</summary>
    private const double NibbleDeviation = 4.6098;
    private const double NibbleMean = 7.5;

    /// <summary>Scales of groups of 32 are equally probable from 48 to 63; this is the root of their mean square.</summary>
    private const double GroupScale = 55.692;

    private const int LeastGroupScale = 48;

    /// <summary>Writes the blocks of a matrix.</summary>
    /// <param name="type">Q8_0 or Q4_K.</param>
    /// <param name="parameter">The matrix.</param>
    /// <param name="position">Where its random numbers begin.</param>
    /// <param name="stream">Where they go.</param>
    public static void Write(GgufType type, NetworkParameter parameter, ulong position, Stream stream)
    {
        double deviation = DeviationOf(parameter.Initialization);
        int bytes = type.BlockBytes();
        var buffer = new byte[BufferBlocks * bytes];
        for (long left = parameter.Count / type.BlockElements(); left > 0;)
        {
            Span<byte> blocks = buffer.AsSpan(0, (int)Math.Min(left, BufferBlocks) * bytes);
            for (Span<byte> rest = blocks; rest.Length > 0; rest = rest[bytes..])
            {
                if (type == GgufType.Q4_K)
                    FillQ4_K(rest[..bytes], deviation, ref position);
                else
                    FillQ8_0(rest[..bytes], deviation, ref position);
            }
            stream.Write(blocks);
            left -= blocks.Length / bytes;
        }
    }

    /// <summary>Scale, 32 signed bytes.</summary>
    private static void FillQ8_0(Span<byte> block, double deviation, ref ulong position)
    {
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)(deviation / ByteDeviation));
        FillRandom(block[2..], ref position);
    }

    /// <summary>
    /// Factor, factor of least values, 8 × (6-bit scale, 6-bit least value), 256 × 4 bits. A group's scale and least value
    /// are one number k, and the second factor is the mean level times the first: d·k·level − 7.5·d·k lies around zero.
    /// </summary>
    private static void FillQ4_K(Span<byte> block, double deviation, ref ulong position)
    {
        double factor = deviation / (NibbleDeviation * GroupScale);
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)factor);
        BinaryPrimitives.WriteHalfLittleEndian(block[2..], (Half)(NibbleMean * factor));
        FillRandom(block[16..], ref position);
        ulong random = RandomValues.Next(ref position);
        for (int group = 0; group < 4; group++)
        {
            // The upper two bits of the scales of groups 4 to 7 lie above those of groups 0 to 3, their lower four apart.
            int first = LeastGroupScale + (int)((random >> (4 * group)) & 15), second = LeastGroupScale + (int)((random >> (16 + (4 * group))) & 15);
            block[4 + group] = block[8 + group] = (byte)(first | (second >> 4 << 6));
            block[12 + group] = (byte)((second & 15) | ((second & 15) << 4));
        }
    }

    private static void FillRandom(Span<byte> bytes, ref ulong position)
    {
        foreach (ref ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
            word = RandomValues.Next(ref position);
    }

    private static double DeviationOf(Initialization initialization) => initialization.Kind switch
    {
        InitializationKind.Normal => initialization.Scale,
        InitializationKind.Uniform => initialization.Scale / Math.Sqrt(3),
        _ when initialization.Scale == 0 => 0,
        _ => throw new ArgumentException($"Blocks with random levels hold no constant {initialization.Scale}.", nameof(initialization)),
    };
}
