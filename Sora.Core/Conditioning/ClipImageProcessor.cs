using Sora.Frames;
using Sora.Weights;

namespace Sora.Conditioning;

/// <summary>
/// Frames as the image encoder wants them (CLIPImageProcessor of transformers): resized with an antialiased bicubic
/// filter, cut to the centre, scaled and normalised for each colour.
/// </summary>
public sealed class ClipImageProcessor
{
    // What a byte becomes in each colour.
    private readonly float[][] _values;

    /// <summary>A processor with these settings.</summary>
    public ClipImageProcessor(ClipImageProcessorConfig config)
    {
        config.Validate();
        Config = config;
        // The reference's roundings: the product in double, the rest in float.
        _values = [.. Enumerable.Range(0, 3).Select(colour => Enumerable.Range(0, 256).Select(value =>
            ((float)(value * config.RescaleFactor) - (float)config.ImageMean[colour]) / (float)config.ImageStd[colour]).ToArray())];
    }

    /// <summary>The settings.</summary>
    public ClipImageProcessorConfig Config { get; }

    /// <summary>Reads a <c>preprocessor_config.json</c>.</summary>
    /// <exception cref="SoraException">The file cannot be read or is not valid; the message names file, field and range.</exception>
    public static ClipImageProcessor Load(string file) => new(ClipImageProcessorConfig.Load(file));

    /// <summary>Processes one frame.</summary>
    /// <param name="frame">A frame of any size.</param>
    /// <param name="device">Where the tensor goes.</param>
    /// <returns>A tensor [1, 3, H, W], float32.</returns>
    public Tensor Process(VideoFrame frame, Device device) => Process([frame], device);

    /// <summary>Processes frames, such as the first and the last of a video.</summary>
    /// <param name="frames">At least one frame; each of any size.</param>
    /// <param name="device">Where the tensor goes.</param>
    /// <returns>A tensor [B, 3, H, W], float32; H and W are <see cref="ClipImageProcessorConfig.OutputSize"/>.</returns>
    /// <exception cref="ArgumentException">There are no frames.</exception>
    public Tensor Process(ReadOnlySpan<VideoFrame> frames, Device device)
    {
        if (frames.IsEmpty)
            throw new ArgumentException("There are no frames to process.", nameof(frames));
        (int height, int width) = Config.OutputSize;
        int plane = height * width;
        var values = new float[frames.Length * 3 * plane];
        for (int i = 0; i < frames.Length; i++)
        {
            ReadOnlySpan<byte> pixels = Resize(frames[i]);
            for (int colour = 0; colour < 3; colour++)
            {
                Span<float> target = values.AsSpan(((i * 3) + colour) * plane, plane);
                for (int p = 0; p < plane; p++)
                    target[p] = _values[colour][pixels[(p * 3) + colour]];
            }
        }
        return tensor(values, [frames.Length, 3, height, width], device: device);
    }

    private byte[] Resize(VideoFrame frame)
    {
        (long height, long width) = Config.ResizedSize(new(frame.Height, frame.Width));
        PixelSize part = Config.OutputSize;
        return BicubicResize.Apply(frame, height, width, (height - part.Height) / 2, (width - part.Width) / 2, part);
    }
}
