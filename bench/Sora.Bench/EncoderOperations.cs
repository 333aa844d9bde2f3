using Sora.Weights;

namespace Sora.Bench;

/// <summary>Counts the multiplications and additions of all convolutions of the video encoder.</summary>
internal sealed class EncoderOperations
{
    private double _frames;
    private double _pixels;
    private double _sum;

    private EncoderOperations(double frames, double pixels) => (_frames, _pixels) = (frames, pixels);

    /// <summary>Those of encoding frames of so many pixels.</summary>
    public static double Count(AutoencoderKLWanConfig config, int frames, double pixels)
    {
        double patch = config.PatchSize ?? 1;
        var count = new EncoderOperations(frames, pixels / (patch * patch));
        count.Encode(config);
        return count._sum;
    }

    private void Encode(AutoencoderKLWanConfig config)
    {
        double inputs = config.BaseDim, width = inputs;
        Convolution(config.InChannels, inputs, 27);
        for (int level = 0; level < config.DimMult.Count; level++, inputs = width)
        {
            width = config.BaseDim * config.DimMult[level];
            for (int block = 0; block < config.NumResBlocks; block++)
                Residual(block == 0 ? inputs : width, width);
            if (level == config.DimMult.Count - 1)
                break;
            _pixels /= 4;
            Convolution(width, width, 9);
            if (!config.TemperalDownsample[level])
                continue;
            _frames = (_frames - 1) / 2; // the first frame is not halved, and not convolved
            Convolution(width, width, 3);
            _frames++;
        }
        Residual(width, width);
        Convolution(width, 3 * width, 1);
        Convolution(width, width, 1);
        Residual(width, width);
        Convolution(width, 2 * config.ZDim, 27);
        Convolution(2 * config.ZDim, 2 * config.ZDim, 1);
    }

    private void Residual(double inputs, double outputs)
    {
        Convolution(inputs, outputs, 27);
        Convolution(outputs, outputs, 27);
        if (inputs != outputs)
            Convolution(inputs, outputs, 1);
    }

    private void Convolution(double inputs, double outputs, double taps) =>
        _sum += 2 * inputs * outputs * taps * _frames * _pixels;
}
