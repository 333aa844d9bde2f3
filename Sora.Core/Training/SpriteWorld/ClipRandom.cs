namespace Sora.Training.SpriteWorld;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014): the same numbers on
/// every machine and every version of .NET, so that a seed names one clip for ever.
/// </summary>
internal sealed class ClipRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong NextUInt64()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public float NextSingle() => (NextUInt64() >> 40) * (1f / (1 << 24));

    /// <summary>Uniform in [low, high).</summary>
    public float Between(float low, float high) => low + ((high - low) * NextSingle());

    /// <summary>Uniform in 0 .. count - 1.</summary>
    public int Below(int count) => (int)(NextSingle() * count);

    public bool Chance(float probability) => NextSingle() < probability;

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];
}
