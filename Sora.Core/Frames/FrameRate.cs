using System.Globalization;

namespace Sora.Frames;

/// <summary>
/// Frames per second as a reduced fraction, since broadcast rates such as 30000/1001 have no exact decimal form.
/// Converts implicitly from <see cref="int"/> and <see cref="double"/>.
/// </summary>
public readonly record struct FrameRate
{
    /// <summary>The highest rate accepted, in frames per second.</summary>
    public const int Maximum = 1000;

    /// <summary>Makes the rate <c>numerator / denominator</c>, in lowest terms.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A part is not positive, or the rate is above <see cref="Maximum"/>.
    /// </exception>
    public FrameRate(int numerator, int denominator = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(numerator);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(denominator);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(numerator / (double)denominator, Maximum, nameof(numerator));
        int divisor = GreatestCommonDivisor(numerator, denominator);
        Numerator = numerator / divisor;
        Denominator = denominator / divisor;
    }

    /// <summary>Frames in <see cref="Denominator"/> seconds.</summary>
    public int Numerator { get; }

    /// <summary>Seconds that <see cref="Numerator"/> frames take.</summary>
    public int Denominator { get; }

    /// <summary>Frames per second as a decimal.</summary>
    public double Value => Numerator / (double)Denominator;

    /// <summary>
    /// The rate nearest to a decimal: 23.976, 29.97 and 59.94 become the broadcast fractions that they abbreviate,
    /// anything else is rounded to a thousandth.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not between 0.001 and <see cref="Maximum"/>.</exception>
    public static FrameRate FromDouble(double framesPerSecond)
    {
        if (!(framesPerSecond is >= 0.001 and <= Maximum))
        {
            throw new ArgumentOutOfRangeException(
                nameof(framesPerSecond), framesPerSecond, $"Frames per second lie between 0.001 and {Maximum}.");
        }

        foreach (int nominal in (ReadOnlySpan<int>)[24, 30, 48, 60, 120])
        {
            if (Math.Abs(framesPerSecond - (nominal / 1.001)) < 0.005)
            {
                return new FrameRate(nominal * 1000, 1001);
            }
        }

        return new FrameRate((int)Math.Round(framesPerSecond * 1000), 1000);
    }

    /// <summary>A whole number of frames per second.</summary>
    public static FrameRate FromInt32(int framesPerSecond) => new(framesPerSecond);

    /// <summary>Reads <c>24</c>, <c>23.976</c> or <c>30000/1001</c>; false for anything else.</summary>
    public static bool TryParse(string? text, out FrameRate rate)
    {
        rate = default;
        string[] parts = (text ?? "").Split('/');
        if (parts.Length == 2)
        {
            if (!int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int numerator)
                || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int denominator)
                || numerator < 1 || denominator < 1 || numerator / (double)denominator > Maximum)
            {
                return false;
            }

            rate = new FrameRate(numerator, denominator);
            return true;
        }

        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            || !(value is >= 0.001 and <= Maximum))
        {
            return false;
        }

        rate = FromDouble(value);
        return true;
    }

    /// <summary>A whole number of frames per second.</summary>
    public static implicit operator FrameRate(int framesPerSecond) => new(framesPerSecond);

    /// <summary>The same as <see cref="FromDouble"/>.</summary>
    public static implicit operator FrameRate(double framesPerSecond) => FromDouble(framesPerSecond);

    /// <summary>When frame <paramref name="index"/> is shown, if frame 0 is shown at 0.</summary>
    public TimeSpan TimeOf(int index) =>
        TimeSpan.FromTicks((long)((Int128)index * Denominator * TimeSpan.TicksPerSecond / Numerator));

    /// <summary><c>24</c> or <c>30000/1001</c>.</summary>
    public override string ToString() => Denominator == 1
        ? Numerator.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Numerator}/{Denominator}");

    /// <summary>Guards against <c>default(FrameRate)</c>, which is no rate.</summary>
    internal FrameRate Checked(string parameter) => Numerator > 0
        ? this
        : throw new ArgumentException("The frame rate was never set.", parameter);

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
