using System.Diagnostics;

namespace Sora.Estimation;

/// <summary>How fast the device multiplies matrices: the one measurement that an estimate of time rests on.</summary>
internal static class MatrixRate
{
    private const int Size = 1024;
    private const int Repetitions = 3;

    /// <summary>
    /// Floating-point operations a second: the fastest of three products of 1024×1024 matrices, after one that is not
    /// counted. Takes a tenth of a second at 100 GFLOP/s.
    /// </summary>
    public static double Measure(ScalarType type, Device device)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor a = ones([Size, Size], type, device), b = ones([Size, Size], type, device);
        Multiply(a, b);
        double fastest = double.MaxValue;
        for (int i = 0; i < Repetitions; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Multiply(a, b);
            fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return 2.0 * Size * Size * Size / Math.Max(fastest, 1e-9);
    }

    private static void Multiply(Tensor a, Tensor b)
    {
        using DisposeScope scope = NewDisposeScope();
        // Reading a number waits for a device that computes on its own.
        a.matmul(b).to(float32).sum().item<float>();
    }
}
