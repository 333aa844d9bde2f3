namespace TorchSharp;

/// <summary>A number given to an operator: an integer, a floating-point number or a boolean.</summary>
public readonly struct Scalar
{
    private Scalar(double value, long integer, bool floating, bool boolean) =>
        (Double, Integer, IsFloating, IsBool) = (value, integer, floating, boolean);

    internal double Double { get; }

    internal long Integer { get; }

    internal bool IsFloating { get; }

    internal bool IsBool { get; }

    /// <summary>A floating-point scalar.</summary>
    public static implicit operator Scalar(double value) => new(value, 0, true, false);

    /// <summary>A floating-point scalar.</summary>
    public static implicit operator Scalar(float value) => new(value, 0, true, false);

    /// <summary>An integer scalar.</summary>
    public static implicit operator Scalar(long value) => new(value, value, false, false);

    /// <summary>An integer scalar.</summary>
    public static implicit operator Scalar(int value) => new(value, value, false, false);

    /// <summary>A boolean scalar.</summary>
    public static implicit operator Scalar(bool value) => new(0, value ? 1 : 0, false, true);
}
