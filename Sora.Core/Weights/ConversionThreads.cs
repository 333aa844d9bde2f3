namespace Sora.Weights;

/// <summary>Shares the conversion of a large tensor among as many threads as the engine computes with.</summary>
internal static class ConversionThreads
{
    /// <summary>What one thread takes at a time: large beside the cost of handing it out, small beside a layer.</summary>
    private const long ElementsAtOnce = 1 << 17;

    /// <summary>Converts units 0 to <paramref name="units"/>, in parts.</summary>
    /// <param name="units">The number of rows or blocks.</param>
    /// <param name="elements">The numbers in each, 1 or more.</param>
    /// <param name="convert">Converts the units from the first number on, as many as the second says; does not throw.</param>
    public static void Run(long units, long elements, Action<long, long> convert)
    {
        long atOnce = Math.Max(1, ElementsAtOnce / elements);
        long parts = (units + atOnce - 1) / atOnce;
        int threads = get_num_threads();
        if (parts <= 1 || threads <= 1)
        {
            convert(0, units);
            return;
        }
        Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = threads },
            part => convert(part * atOnce, Math.Min(atOnce, units - (part * atOnce))));
    }
}
