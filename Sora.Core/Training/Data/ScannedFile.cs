using Sora.Frames;

namespace Sora.Training.Data;

/// <summary>What reading a file once, from its beginning to its end, found out.</summary>
/// <param name="Width">Pixels, upright.</param>
/// <param name="Height">Pixels, upright.</param>
/// <param name="IsImage">Whether it is one still picture.</param>
/// <param name="Frames">Frames at the training's rate.</param>
/// <param name="Cuts">The frames that begin a new shot.</param>
internal sealed record ScannedFile(int Width, int Height, bool IsImage, int Frames, IReadOnlyList<int> Cuts)
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="SoraException">It is no video or image, or breaks off.</exception>
    public static ScannedFile Scan(string path, FrameRate rate, double cutThreshold, CancellationToken cancellationToken)
    {
        VideoInfo info = VideoReader.Probe(path, cancellationToken);
        if (info.IsImage)
            return new(info.Width, info.Height, true, 1, []);
        IReadOnlyList<float> differences = ShotDetection.Differences(path, rate, cancellationToken);
        return new(info.Width, info.Height, false, differences.Count + 1, ShotDetection.Cuts(differences, cutThreshold));
    }

    /// <summary>
    /// The clips of the file as (first frame, frames): each shot from its start in clips of the greatest length, the last one
    /// shorter; what is left below the least length is not used. The first frame after a cut is left out, since frames at a cut
    /// can be a blend of both shots. A file of one frame is a picture.
    /// </summary>
    public IEnumerable<(int First, int Frames)> Clips(ClipShapes shapes, ClipStrides strides)
    {
        if (Frames == 1)
        {
            yield return (0, 1);
            yield break;
        }
        (int least, int most) = shapes.Lengths(strides);
        foreach ((int begin, int end) in Cuts.Select(cut => cut + 1).Prepend(0).Zip(Cuts.Append(Frames)))
        {
            for (int first = begin; end - first >= least;)
            {
                int frames = Math.Min(most, strides.FramesIn(end - first));
                yield return (first, frames);
                first += frames;
            }
        }
    }
}
