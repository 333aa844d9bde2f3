namespace Sora.Bench;

/// <summary>Adds up the multiplications and additions of convolutions.</summary>
internal abstract class ConvolutionCount
{
    /// <summary>The frames that are convolved.</summary>
    protected double Frames { get; set; }

    /// <summary>The positions of a frame.</summary>
    protected double Pixels { get; set; }

    /// <summary>The operations so far.</summary>
    protected double Sum { get; private set; }

    /// <summary>A block of two convolutions, with a third around them where the width changes.</summary>
    protected void Residual(double inputs, double outputs)
    {
        Convolution(inputs, outputs, 27);
        Convolution(outputs, outputs, 27);
        if (inputs != outputs)
            Convolution(inputs, outputs, 1);
    }

    /// <summary>One convolution with so many taps.</summary>
    protected void Convolution(double inputs, double outputs, double taps) => Sum += 2 * inputs * outputs * taps * Frames * Pixels;
}
