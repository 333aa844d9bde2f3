using Sora.Latents;

namespace Sora.Training.Data;

/// <summary>The sizes and lengths that clips of a training may have.</summary>
public sealed record ClipShapes
{
    private static readonly ValueRange<long> s_areas = new(64, 1L << 26);
    private static readonly ValueRange<double> s_aspects = new(1 / 32.0, 32);
    private static readonly ValueRange<int> s_frames = new(1, 100_000);

    /// <summary>The least width times height of drawn clips in pixels; files below it keep their size.</summary>
    /// <value>64 to 2²⁶. Default 2304, 48 × 48.</value>
    public long LeastArea { get; init => field = s_areas.Require("least_area", value)!.Value; } = 48 * 48;

    /// <summary>The greatest width times height; larger files are scaled down to it.</summary>
    /// <value>64 to 2²⁶. Default 16384, 128 × 128.</value>
    public long MostArea { get; init => field = s_areas.Require("most_area", value)!.Value; } = 128 * 128;

    /// <summary>The least width over height of drawn clips; files keep theirs.</summary>
    /// <value>1/32 to 32. Default 9/16.</value>
    public double LeastAspect { get; init => field = s_aspects.Require("least_aspect", value)!.Value; } = 9 / 16.0;

    /// <summary>The greatest width over height of drawn clips; files keep theirs.</summary>
    /// <value>1/32 to 32. Default 16/9.</value>
    public double MostAspect { get; init => field = s_aspects.Require("most_aspect", value)!.Value; } = 16 / 9.0;

    /// <summary>The fewest frames of a clip that is no picture; shorter shots are left out.</summary>
    /// <value>1 to 100000, rounded up to 1 + k·stride. Default 5.</value>
    public int LeastFrames { get; init => field = s_frames.Require("least_frames", value)!.Value; } = 5;

    /// <summary>The most frames of a clip; longer shots become several.</summary>
    /// <value>1 to 100000, rounded down to 1 + k·stride. Default 33.</value>
    public int MostFrames { get; init => field = s_frames.Require("most_frames", value)!.Value; } = 33;

    /// <summary>
    /// A shape for a drawn clip, a pure function of seed and index: of the sizes that are allowed, the one nearest to a
    /// log-uniform area and aspect ratio; any allowed length with the same probability.
    /// </summary>
    /// <param name="strides">The model's.</param>
    /// <param name="seed">The seed of all clips.</param>
    /// <param name="index">The clip.</param>
    /// <param name="picture">Whether it has one frame.</param>
    /// <exception cref="SoraException">No size fits the limits.</exception>
    public ClipShape Draw(ClipStrides strides, ulong seed, ulong index, bool picture)
    {
        var random = new GaussianNoise(seed, $"clip shape {index}");
        double area = Between(random.Uniform(0), LeastArea, MostArea);
        double aspect = Between(random.Uniform(1), LeastAspect, MostAspect);
        (int width, int height) = Sizes(strides.Spatial).MinBy(size =>
            Math.Pow(Math.Log(size.Width * (double)size.Height / area), 2) + Math.Pow(Math.Log(size.Width / (double)size.Height / aspect), 2));
        if (picture)
            return new(width, height, 1);
        (int least, int most) = Lengths(strides);
        int lengths = ((most - least) / strides.Temporal) + 1;
        return new(width, height, least + (strides.Temporal * (int)(random.Uniform(2) * lengths)));
    }

    /// <summary>The fewest and the most frames, both valid for a stride.</summary>
    /// <exception cref="SoraException">No length lies between them.</exception>
    internal (int Least, int Most) Lengths(ClipStrides strides)
    {
        int least = strides.FramesIn(LeastFrames + strides.Temporal - 1), most = strides.FramesIn(MostFrames);
        return least <= most
            ? (least, most)
            : throw new SoraException($"least_frames {LeastFrames} and most_frames {MostFrames} leave no length of 1 + {strides.Temporal}·k frames between them; nearest: most_frames {least}.");
    }

    private List<(int Width, int Height)> Sizes(int stride)
    {
        List<(int Width, int Height)> sizes = [];
        for (int width = stride; width <= Math.Sqrt(MostArea * MostAspect); width += stride)
        {
            for (int height = stride; (long)width * height <= MostArea; height += stride)
            {
                double aspect = width / (double)height;
                if ((long)width * height >= LeastArea && aspect >= LeastAspect && aspect <= MostAspect)
                    sizes.Add((width, height));
            }
        }
        return sizes.Count > 0 ? sizes : throw new SoraException(FormattableString.Invariant(
            $"No size in multiples of {stride} has an area of {LeastArea} to {MostArea} and an aspect ratio of {LeastAspect:0.###} to {MostAspect:0.###}."));
    }

    // Uniform in the logarithm: twice the area is as far as half of it.
    private static double Between(double uniform, double low, double high) => low * Math.Pow(high / low, uniform);
}
