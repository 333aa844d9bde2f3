using Sora.Frames;

namespace Sora.Training.Data;

/// <summary>
/// Finds the cuts of a video. A frame differs from the one before by the mean absolute difference of their pixels, both
/// scaled to 32 × 18. It begins a new shot where that difference is above a threshold and three times the mean of the
/// differences around it, two on each side: fast motion lasts, a cut does not (the rule of PySceneDetect's
/// AdaptiveDetector; ffmpeg's scene score compares with one neighbour instead). Slow fades are not found.
/// </summary>
public static class ShotDetection
{
    /// <summary>15 of 255 grey levels, as in PySceneDetect.</summary>
    public const double DefaultThreshold = 0.06;

    private const double Ratio = 3;
    private const int Around = 2;
    private const int Width = 32;
    private const int Height = 18;

    /// <summary>
    /// The difference of each frame of a file to the one before, 0 to 1, from the second frame on. The file is decoded from
    /// its beginning to its end at the given rate; two small frames are in memory.
    /// </summary>
    /// <exception cref="SoraException">The file cannot be read, or not to its end.</exception>
    public static IReadOnlyList<float> Differences(string path, FrameRate rate, CancellationToken cancellationToken)
    {
        var options = new VideoReadOptions { Width = Width, Height = Height, Fit = FrameFit.Stretch, FrameRate = rate };
        var differences = new List<float>();
        ReadOnlyMemory<byte> last = default;
        foreach (VideoFrame frame in VideoReader.Read(path, options, cancellationToken))
        {
            if (frame.Index > 0)
                differences.Add(Difference(last.Span, frame.Rgb.Span));
            last = frame.Rgb;
        }
        return differences;
    }

    /// <summary>The frames that begin a new shot, ascending; the first frame of the video is not among them.</summary>
    /// <param name="differences">Of frame i + 1 to frame i.</param>
    /// <param name="threshold">The least difference of a cut, 0 to 1.</param>
    public static IReadOnlyList<int> Cuts(IReadOnlyList<float> differences, double threshold = DefaultThreshold)
    {
        ArgumentNullException.ThrowIfNull(differences);
        List<int> cuts = [];
        for (int i = 0; i < differences.Count; i++)
        {
            double sum = 0;
            int count = 0;
            for (int j = Math.Max(0, i - Around); j <= Math.Min(differences.Count - 1, i + Around); j++)
            {
                if (j != i)
                    (sum, count) = (sum + differences[j], count + 1);
            }
            if (differences[i] >= threshold && (count == 0 || differences[i] >= Ratio * sum / count))
                cuts.Add(i + 1);
        }
        return cuts;
    }

    private static float Difference(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        int sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += Math.Abs(a[i] - b[i]);
        return sum / (255f * a.Length);
    }
}
