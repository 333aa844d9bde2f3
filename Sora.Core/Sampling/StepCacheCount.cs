namespace Sora.Sampling;

/// <summary>How often the step caches of a video skipped the blocks behind the first.</summary>
public sealed class StepCacheCount
{
    /// <summary>Evaluations of the transformer.</summary>
    public int Evaluations { get; private set; }

    /// <summary>Those of them at which only the first block was computed.</summary>
    public int Skipped { get; private set; }

    internal void Add(bool skipped)
    {
        Evaluations++;
        if (skipped)
            Skipped++;
    }
}
