using System.Diagnostics;

namespace Sora.Bench;

/// <summary>Medians of repeated measurements; single ones are disturbed by whatever else the machine does.</summary>
internal static class Median
{
    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>Seconds of a call, the median of several after one that is not counted.</summary>
    public static double Seconds(Action call, int rounds)
    {
        Time(call);
        return Of(Enumerable.Range(0, rounds).Select(_ => Time(call)).ToArray());
    }

    /// <summary>
    /// How fast one call does its work as a share of how fast another does its own. The two take turns, so that a slower
    /// moment of the machine meets both.
    /// </summary>
    /// <param name="call">What is judged, and its floating-point operations.</param>
    /// <param name="limit">What it is compared with, and its floating-point operations.</param>
    /// <param name="rounds">How often.</param>
    public static Share ShareOf((Action Call, double Operations) call, (Action Call, double Operations) limit, int rounds)
    {
        Time(limit.Call);
        Time(call.Call);
        var rates = new double[rounds];
        var limits = new double[rounds];
        for (int i = 0; i < rounds; i++)
        {
            // Several short calls make up one measurement of the limit.
            limits[i] = limit.Operations / Of(Enumerable.Range(0, 3).Select(_ => Time(limit.Call)).ToArray());
            rates[i] = call.Operations / Time(call.Call);
        }
        return new(Of(rates.Zip(limits, (rate, best) => rate / best)), Of(rates), Of(limits));
    }

    /// <summary>Seconds of one call.</summary>
    public static double Once(Action call) => Time(call);

    private static double Time(Action call)
    {
        long start = Stopwatch.GetTimestamp();
        call();
        BenchDevice.Finish();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// <summary>A rate beside its limit, in operations a second.</summary>
/// <param name="Value">The median of the rounds' ratios.</param>
/// <param name="Rate">The rate.</param>
/// <param name="Limit">The limit.</param>
internal readonly record struct Share(double Value, double Rate, double Limit);
