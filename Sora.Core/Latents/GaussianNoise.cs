using System.Text;

namespace Sora.Latents;

/// <summary>
/// Random numbers as a pure function of a seed, a stream and a position, the same on every device and machine:
/// SplitMix64 as a counter-based hash (Steele, Lea, Flood 2014) and the Box–Muller transform.
/// </summary>
public readonly struct GaussianNoise
{
    private readonly ulong _key;

    /// <summary>A stream of a seed.</summary>
    public GaussianNoise(ulong seed, ulong stream) => _key = Mix(Mix(seed) ^ (stream * 0xd1342543de82ef95));

    /// <summary>A stream of a seed, named by text.</summary>
    public GaussianNoise(ulong seed, string stream) : this(seed, Hash(stream))
    {
    }

    /// <summary>Standard normal numbers from a position of the stream on.</summary>
    public void Fill(Span<float> values, ulong position = 0)
    {
        // Two uniform numbers make two normal ones: positions 2k and 2k + 1 are the pair k, wherever a call begins.
        int i = 0;
        if ((position & 1) != 0 && values.Length > 0)
            values[i++] = Pair(position / 2).Second;
        for (; i + 1 < values.Length; i += 2)
            (values[i], values[i + 1]) = Pair((position + (ulong)i) / 2);
        if (i < values.Length)
            values[i] = Pair((position + (ulong)i) / 2).First;
    }

    /// <summary>Uniform numbers between −1 and 1 from the start of the stream.</summary>
    public void FillUniform(Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)((2 * Uniform((ulong)i)) - 1);
    }

    /// <summary>A uniform number in [0, 1) at a position.</summary>
    public double Uniform(ulong position) => (Mix(_key + (position * 0x9e3779b97f4a7c15)) >> 11) * (1.0 / (1UL << 53));

    private (float First, float Second) Pair(ulong number)
    {
        double radius = Math.Sqrt(-2 * Math.Log(1 - Uniform(2 * number)));
        (double sin, double cos) = Math.SinCos(2 * Math.PI * Uniform((2 * number) + 1));
        return ((float)(radius * cos), (float)(radius * sin));
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    // FNV-1a.
    private static ulong Hash(string text)
    {
        ulong hash = 0xcbf29ce484222325;
        foreach (byte b in Encoding.UTF8.GetBytes(text))
            hash = (hash ^ b) * 0x100000001b3;
        return hash;
    }
}
