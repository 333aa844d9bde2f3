using System.Runtime.InteropServices;

namespace Sora.Bench;

/// <summary>
/// The memory limit of a process (<c>ulimit -v</c>) reached in the middle of a generation: it ends with an exception that a
/// caller can handle, and the next smaller one is made. In a process of its own, since a limit cannot be taken back.
/// </summary>
internal static partial class MemoryLimitBenchmark
{
    public const string Child = "limit";

    // RLIMIT_AS of Linux, what ulimit -v sets.
    private const int AddressSpace = 9;

    // What the runtime may still need, and less than the large request takes.
    private const ulong Left = 192 << 20;

    public static IEnumerable<Measurement> Run(bool quick)
    {
        if (!OperatingSystem.IsLinux())
            return [Measurement.Missing("generations beyond the memory limit that ended with an exception", "", "not on Linux")];
        double[] results = ChildProcess.Run(Child, quick ? "1" : "5");
        return
        [
            new("generations beyond the memory limit that ended with an exception, share", results[0], "%", Least: 1, Exact: true),
            new("smaller generations after each that were made, share", results[1], "%", Least: 1, Exact: true),
            new("living tensors that the failed ones left", results[2], "", Most: 0, Exact: true),
        ];
    }

    public static IEnumerable<double> RunChild(string rounds) => RunAsync(int.Parse(rounds, System.Globalization.CultureInfo.InvariantCulture)).GetAwaiter().GetResult();

    private static async Task<double[]> RunAsync(int rounds)
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(Repository.TinyModel, new() { Device = "cpu", Threads = 1 });
        int stride = generator.Limits.SpatialStride;
        var small = new VideoRequest("a red fish") { Width = 2 * stride, Height = 2 * stride, FrameCount = 1, Steps = 2, Seed = 1 };
        byte[] expected = await PixelsAsync(generator, small);
        // The other thread of the pool that goes on after a generation, too.
        await PixelsAsync(generator, small);
        long tensors = Tensor.TotalCount;
        LimitAddressSpace();

        int failed = 0, made = 0;
        for (int i = 0; i < rounds; i++)
        {
            try
            {
                await PixelsAsync(generator, small with { Width = 64 * stride, Height = 64 * stride, FrameCount = 1 + (2 * generator.Limits.TemporalStride) });
            }
            catch (Exception e) when (e is SoraException or ExternalException or OutOfMemoryException)
            {
                Console.Error.WriteLine($"  {e.GetType().Name}: {e.Message.Split('\n')[0]}");
                failed++;
            }
            if ((await PixelsAsync(generator, small)).AsSpan().SequenceEqual(expected))
                made++;
        }
        return [(double)failed / rounds, (double)made / rounds, Tensor.TotalCount - tensors];
    }

    private static async Task<byte[]> PixelsAsync(VideoGenerator generator, VideoRequest request)
    {
        await using GeneratedVideo video = await generator.GenerateAsync(request);
        return [.. video.Frames.SelectMany(frame => frame.Rgb.ToArray())];
    }

    private static void LimitAddressSpace()
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmSize:", StringComparison.Ordinal));
        ulong kilobytes = ulong.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
        ulong limit = (kilobytes * 1024) + Left;
        if (SetLimit(AddressSpace, [limit, limit]) != 0)
            throw new InvalidOperationException("setrlimit failed.");
    }

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, ReadOnlySpan<ulong> softAndHard);
}
