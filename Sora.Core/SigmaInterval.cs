using System.Globalization;

namespace Sora;

/// <summary>A range of noise levels, both ends included: sigma 1 is noise, 0 is data. Written <c>0.2:0.8</c>.</summary>
public readonly record struct SigmaInterval
{
    private static readonly ValueRange<float> Levels = new(0, 1);

    /// <summary>The levels from the least to the greatest.</summary>
    /// <param name="low">The least noise level, 0 to 1.</param>
    /// <param name="high">The greatest noise level, <paramref name="low"/> to 1.</param>
    /// <exception cref="SoraException">A level lies outside its range, or the ends are in the wrong order.</exception>
    public SigmaInterval(float low, float high)
    {
        Low = Levels.Require("The low end of the guidance interval", low)!.Value;
        High = Levels.Require("The high end of the guidance interval", high)!.Value;
        if (low > high)
            throw new SoraException(string.Create(CultureInfo.InvariantCulture, $"The guidance interval {low}:{high} is empty; nearest: {high}:{low}."));
    }

    /// <summary>Every noise level, 0 to 1.</summary>
    public static SigmaInterval All { get; } = new(0, 1);

    /// <summary>The least noise level.</summary>
    /// <value>0 to 1.</value>
    public float Low { get; }

    /// <summary>The greatest noise level.</summary>
    /// <value><see cref="Low"/> to 1.</value>
    public float High { get; }

    /// <summary>Reads <c>LOW:HIGH</c>.</summary>
    /// <exception cref="SoraException">The text is not two numbers with a colon between, or the interval is not valid.</exception>
    public static SigmaInterval Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] ends = text.Split(':');
        if (ends.Length == 2 && TryParse(ends[0], out float low) && TryParse(ends[1], out float high))
            return new(low, high);
        throw new SoraException($"'{text}' is not a guidance interval: two noise levels from 0 to 1 with a colon between, such as 0.2:0.8.");
    }

    /// <summary>Whether a noise level lies in the range.</summary>
    public bool Contains(float sigma) => sigma >= Low && sigma <= High;

    /// <summary>The text that <see cref="Parse"/> reads back.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Low}:{High}");

    private static bool TryParse(string text, out float level) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out level);
}
