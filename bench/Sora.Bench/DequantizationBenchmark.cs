using System.Runtime.InteropServices;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// How fast a matrix of the 14B transformer's size becomes bfloat16, in bytes of the result a second: what a model that is
/// kept quantised pays at each use of a layer, in memory that is used again and, once, in memory that is new each time.
/// </summary>
internal static class DequantizationBenchmark
{
    private const long Rows = 5120;
    private const double LeastRate = 2;

    public static IEnumerable<Measurement> Run(bool quick)
    {
        long columns = quick ? 256 : 13824;
        int rounds = quick ? 1 : 9;
        int threads = get_num_threads();
        using Tensor target = zeros([Rows, columns], bfloat16);
        foreach (GgufType type in (GgufType[])[GgufType.Q8_0, GgufType.Q4_0, GgufType.Q5_0, GgufType.Q4_K, GgufType.Q5_K, GgufType.Q6_K])
        {
            nint source = Source(Rows * columns / type.BlockElements() * type.BlockBytes());
            double seconds = SecondsOnOneCore(() => GgufTensor.DequantizeInto(target, source, type), threads, rounds);
            Marshal.FreeHGlobal(source);
            yield return new($"{type} to bfloat16, one core", Rate(columns, seconds), "GB/s", Least: LeastRate);
        }
        nint bytes = Source(Rows * columns);
        double fresh = SecondsOnOneCore(
            () => Float8Tensor.Read(bytes, [Rows, columns], SafetensorsType.F8_E4M3, [0.5f], bfloat16, CPU).Dispose(), threads, rounds);
        double float8 = SecondsOnOneCore(
            () => Float8Tensor.ReadInto(target, bytes, SafetensorsType.F8_E4M3, [0.5f]), threads, rounds);
        Marshal.FreeHGlobal(bytes);
        yield return new("scaled F8_E4M3 to bfloat16, one core", Rate(columns, float8), "GB/s", Least: LeastRate);
        yield return new("the same into new memory", Rate(columns, fresh), "GB/s");
    }

    private static double Rate(long columns, double seconds) => Rows * columns * sizeof(ushort) / seconds / 1e9;

    private static double SecondsOnOneCore(Action call, int threads, int rounds)
    {
        set_num_threads(1);
        double seconds = Median.Seconds(call, rounds);
        set_num_threads(threads);
        return seconds;
    }

    /// <summary>Bytes in no order, none of which makes a scale infinite.</summary>
    private static unsafe nint Source(long length)
    {
        byte* source = (byte*)Marshal.AllocHGlobal((nint)length);
        var random = new Random(1);
        for (long done = 0; done < length; done += 1 << 20)
        {
            var part = new Span<byte>(source + done, (int)Math.Min(1 << 20, length - done));
            random.NextBytes(part);
            foreach (ref byte value in part)
                value &= 0x3B;
        }
        return (nint)source;
    }
}
