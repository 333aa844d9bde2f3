using Sora.Weights;

namespace Sora.Bench;

/// <summary>Counts the multiplications and additions of all convolutions of the video decoder.</summary>
internal sealed class DecoderOperations
{
    private readonly AutoencoderKLWanConfig _config;
    private double _frames;
    private double _pixels;
    private double _sum;

    private DecoderOperations(AutoencoderKLWanConfig config, int t, int h, int w) =>
        (_config, _frames, _pixels) = (config, t, (double)h * w);

    /// <summary>Those of decoding t latent frames of h × w.</summary>
    public static double Count(AutoencoderKLWanConfig config, int t, int h, int w)
    {
        var count = new DecoderOperations(config, t, h, w);
        count.Decode();
        return count._sum;
    }

    private void Decode()
    {
        int levels = _config.DimMult.Count;
        double width = _config.DecoderWidth * _config.DimMult[levels - 1];
        Convolution(_config.ZDim, _config.ZDim, 1);
        Convolution(_config.ZDim, width, 27);
        Residual(width, width);
        Convolution(width, 3 * width, 1);
        Convolution(width, width, 1);
        Residual(width, width);
        double inputs = width;
        for (int level = 0; level < levels; level++)
        {
            width = _config.DecoderWidth * _config.DimMult[levels - 1 - level];
            for (int block = 0; block <= _config.NumResBlocks; block++)
                Residual(block == 0 ? inputs : width, width);
            if (level == levels - 1)
                break;
            inputs = _config.IsResidual ? width : width / 2;
            Upsample(width, inputs, _config.TemperalDownsample[levels - 2 - level]);
        }
        Convolution(width, _config.OutChannels, 27);
    }

    private void Upsample(double width, double outputs, bool temporal)
    {
        if (temporal)
        {
            _frames--; // the first frame is not doubled
            Convolution(width, 2 * width, 3);
            _frames = (2 * _frames) + 1;
        }
        _pixels *= 4;
        Convolution(width, outputs, 9);
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
