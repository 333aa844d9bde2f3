using System.Runtime.InteropServices;
using Sora.Layers;

namespace Sora.Weights;

/// <summary>
/// Initial values at the speed of a disk: a function of seed, name and position. Each comes from a table of 65536 values
/// that are equally probable, so that a distribution costs a look-up; the largest of a normal one is 4.2 deviations.
/// </summary>
/// <param name="seed">The seed.</param>
internal sealed class RandomValues(ulong seed)
{
    private const int Outcomes = 1 << 16;

    /// <summary>The odd number whose multiples SplitMix64 hashes (Steele, Lea, Flood 2014).</summary>
    private const ulong Gamma = 0x9e3779b97f4a7c15;

    private static readonly float[] Normal = [.. Enumerable.Range(0, Outcomes).Select(i => (float)NormalQuantile((i + 0.5) / Outcomes))];
    private static readonly float[] Uniform = [.. Enumerable.Range(0, Outcomes).Select(i => (float)((2 * (i + 0.5) / Outcomes) - 1))];

    private readonly byte[] _buffer = new byte[1 << 20];
    private readonly float[] _floats = new float[Outcomes];
    private readonly ushort[] _halves = new ushort[Outcomes];

    /// <summary>Writes the initial values of a parameter.</summary>
    /// <param name="part">The network that it belongs to.</param>
    /// <param name="parameter">The parameter.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="stream">Where they go.</param>
    public void Write(string part, NetworkParameter parameter, SafetensorsType type, Stream stream)
    {
        FillTable(parameter.Initialization, type);
        ulong position = PositionOf(part, parameter);
        for (long left = parameter.Count * type.Size(); left > 0;)
        {
            Span<byte> chunk = _buffer.AsSpan(0, (int)Math.Min(left, _buffer.Length));
            position = type == SafetensorsType.F32
                ? Fill(MemoryMarshal.Cast<byte, float>(chunk), _floats, position)
                : Fill(MemoryMarshal.Cast<byte, ushort>(chunk), _halves, position);
            stream.Write(chunk);
            left -= chunk.Length;
        }
    }

    /// <summary>Where the random numbers of a parameter begin.</summary>
    public ulong PositionOf(string part, NetworkParameter parameter) => Mix(Mix(seed) ^ Hash($"{part}.{parameter.Name}"));

    /// <summary>64 random bits; the position moves on.</summary>
    public static ulong Next(ref ulong position) => Mix(position += Gamma);

    private static ulong Fill<T>(Span<T> values, T[] table, ulong position)
    {
        // Four numbers of 16 bits from each of 64; a table has a place for every one, so none is checked twice.
        int i = 0;
        for (; i + 4 <= values.Length; i += 4)
        {
            ulong bits = Mix(position += Gamma);
            values[i] = table[(ushort)bits];
            values[i + 1] = table[(ushort)(bits >> 16)];
            values[i + 2] = table[(ushort)(bits >> 32)];
            values[i + 3] = table[(ushort)(bits >> 48)];
        }
        for (ulong bits = Mix(position += Gamma); i < values.Length; i++, bits >>= 16)
            values[i] = table[(ushort)bits];
        return position;
    }

    private void FillTable(Initialization initialization, SafetensorsType type)
    {
        float scale = (float)initialization.Scale;
        for (int i = 0; i < Outcomes; i++)
        {
            float value = initialization.Kind switch
            {
                InitializationKind.Normal => Normal[i] * scale,
                InitializationKind.Uniform => Uniform[i] * scale,
                _ => scale,
            };
            if (type == SafetensorsType.F32)
                _floats[i] = value;
            else
                _halves[i] = type == SafetensorsType.F16 ? BitConverter.HalfToUInt16Bits((Half)value) : BFloat16Bits.Round(value);
        }
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
        foreach (char c in text)
            hash = (hash ^ c) * 0x100000001b3;
        return hash;
    }

    /// <summary>
    /// The value below which a normal number lies with a probability: Newton's method on the distribution function, from the
    /// logistic approximation of it.
    /// </summary>
    internal static double NormalQuantile(double probability)
    {
        double x = Math.Log(probability / (1 - probability)) / 1.702;
        for (int i = 0; i < 40; i++)
        {
            double step = (Distribution(x) - probability) / (Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));
            step = Math.Clamp(step, -0.5, 0.5);
            x -= step;
            if (Math.Abs(step) < 1e-10)
                break;
        }
        return x;
    }

    /// <summary>Marsaglia's series for the normal distribution function (Journal of Statistical Software 11(4), 2004).</summary>
    private static double Distribution(double x)
    {
        double sum = x, term = x, previous = double.NaN;
        for (int i = 3; sum != previous && i < 400; i += 2)
        {
            previous = sum;
            term *= x * x / i;
            sum += term;
        }
        return 0.5 + (sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));
    }
}
