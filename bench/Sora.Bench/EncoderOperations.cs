using Sora.Weights;

namespace Sora.Bench;

/// <summary>Counts the multiplications and additions of all convolutions of the video encoder.</summary>
internal sealed class EncoderOperations : ConvolutionCount
{
    private EncoderOperations(double frames, double pixels) => (Frames, Pixels) = (frames, pixels);

    /// <summary>Those of encoding frames of so many pixels.</summary>
    public static double Count(AutoencoderKLWanConfig config, int frames, double pixels)
    {
        double patch = config.PatchSize ?? 1;
        var count = new EncoderOperations(frames, pixels / (patch * patch));
        count.Encode(config);
        return count.Sum;
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
            Pixels /= 4;
            Convolution(width, width, 9);
            if (!config.TemperalDownsample[level])
                continue;
            Frames = (Frames - 1) / 2; // the first frame is not halved, and not convolved
            Convolution(width, width, 3);
            Frames++;
        }
        Residual(width, width);
        Convolution(width, 3 * width, 1);
        Convolution(width, width, 1);
        Residual(width, width);
        Convolution(width, 2 * config.OwnChannels, 27);
        Convolution(2 * config.OwnChannels, 2 * config.OwnChannels, 1);
    }
}
