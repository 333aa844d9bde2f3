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
        for (int i = 0; i < values.Length; i++)
        {
            // Two uniform numbers make one normal one, so that every number depends on its own position alone.
            ulong counter = (position + (ulong)i) * 2;
            double radius = Math.Sqrt(-2 * Math.Log(1 - Uniform(counter)));
            values[i] = (float)(radius * Math.Cos(2 * Math.PI * Uniform(counter + 1)));
        }
    }

    /// <summary>Uniform numbers between −1 and 1 from the start of the stream.</summary>
    public void FillUniform(Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)((2 * Uniform((ulong)i)) - 1);
    }

    /// <summary>A uniform number in [0, 1) at a position.</summary>
    public double Uniform(ulong position) => (Mix(_key + (position * 0x9e3779b97f4a7c15)) >> 11) * (1.0 / (1UL << 53));

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
