using Sora.Weights;

namespace Sora.Bench;

/// <summary>Counts the multiplications and additions of all convolutions of the video decoder.</summary>
internal sealed class DecoderOperations : ConvolutionCount
{
    private readonly AutoencoderKLWanConfig _config;

    private DecoderOperations(AutoencoderKLWanConfig config, int t, int h, int w) =>
        (_config, Frames, Pixels) = (config, t, (double)h * w);

    /// <summary>Those of decoding t latent frames of h × w.</summary>
    public static double Count(AutoencoderKLWanConfig config, int t, int h, int w)
    {
        var count = new DecoderOperations(config, t, h, w);
        count.Decode();
        return count.Sum;
    }

    private void Decode()
    {
        int levels = _config.DimMult.Count;
        double width = _config.DecoderWidth * _config.DimMult[levels - 1];
        Convolution(_config.OwnChannels, _config.OwnChannels, 1);
        Convolution(_config.OwnChannels, width, 27);
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
        if (_config.LinearCodeChannels > 0)
        {
            Convolution(_config.LinearCodeChannels, _config.OutChannels, 1);
            Convolution(2 * _config.OutChannels, _config.DecoderWidth, 9);
            Convolution(_config.DecoderWidth, _config.OutChannels, 9);
        }
    }

    private void Upsample(double width, double outputs, bool temporal)
    {
        if (temporal)
        {
            Frames--; // the first frame is not doubled
            Convolution(width, 2 * width, 3);
            Frames = (2 * Frames) + 1;
        }
        Pixels *= 4;
        Convolution(width, outputs, 9);
    }
}
