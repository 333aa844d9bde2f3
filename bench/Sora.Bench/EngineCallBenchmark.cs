using System.Diagnostics;
using System.Globalization;

namespace Sora.Bench;

/// <summary>
/// What a call of an operator costs above libtorch's own: an addition of two numbers from C# beside the same loop in C++
/// (native/bare_add.cpp, built by run.sh).
/// </summary>
internal static class EngineCallBenchmark
{
    private const int Calls = 200_000;

    // An object of .NET's: its header and method table, and the handle's few fields.
    private const int HandleBytes = 48;

    public static IEnumerable<Measurement> Run(bool quick)
    {
        int calls = quick ? 1000 : Calls;
        int rounds = quick ? 1 : 7;
        double managed = Median.Seconds(() => Loop(calls), rounds) / calls * 1e6;
        yield return new("addition of one number from C#", managed, "µs");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Loop(calls);
        yield return new("managed memory that a call allocates: the tensor's handle", (double)(GC.GetAllocatedBytesForCurrentThread() - before) / calls, "bytes", Most: HandleBytes, Exact: true);
        string loop = Environment.GetEnvironmentVariable("SORA_BARE_ADD") ?? "";
        if (!File.Exists(loop))
        {
            yield return Measurement.Missing("cost of a call above C++", "µs", "the loop in C++ was not built (bench/run.sh builds it for Torch=System)");
            yield break;
        }
        double bare = Median.Of(Enumerable.Range(0, rounds).Select(_ => RunLoop(loop, calls)).ToArray());
        yield return new("addition of one number in C++", bare, "µs");
        yield return new("cost of a call above C++", managed - bare, "µs", Most: 0.5);
    }

    private static void Loop(int calls)
    {
        using IDisposable noGradients = no_grad();
        using Tensor one = ones([1]);
        using Tensor two = ones([1]);
        for (int i = 0; i < calls; i++)
            (one + two).Dispose();
    }

    private static double RunLoop(string path, int calls)
    {
        using Process process = Process.Start(new ProcessStartInfo(path, [calls.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return double.Parse(text, CultureInfo.InvariantCulture);
    }
}
