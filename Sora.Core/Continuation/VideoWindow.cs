using Sora.Conditioning;
using Sora.Frames;

namespace Sora.Continuation;

/// <summary>One window of a long video: a generation of its own that begins with what is there already.</summary>
internal sealed record VideoWindow
{
    /// <summary>What it shows.</summary>
    public required string Prompt { get; init; }

    /// <summary>Its latent frames, those that are known included.</summary>
    public required int Latents { get; init; }

    /// <summary>How many of them, at its beginning, are there already; none where a shot begins.</summary>
    public required int Known { get; init; }

    /// <summary>
    /// Whether the first known latent frame is the picture that the decoder made of it: in every window but those at a shot's
    /// beginning, see <see cref="WindowLink"/>.
    /// </summary>
    public required bool BeginsWithPicture { get; init; }

    /// <summary>Where its first latent frame stands in the whole video; the noise is a function of that.</summary>
    public required int FirstLatent { get; init; }

    /// <summary>The place in the whole video of the frame that is its index 0.</summary>
    public required int Origin { get; init; }

    /// <summary>The place in the whole video of the first frame that it adds.</summary>
    public required int FirstFrame { get; init; }

    /// <summary>The place after the last frame that it adds. What it makes beyond that, before a cut, is left out.</summary>
    public required int EndFrame { get; init; }

    /// <summary>The request of this window.</summary>
    /// <param name="whole">The resolved request of the whole video.</param>
    /// <param name="stride">Frames that a latent frame stands for.</param>
    /// <param name="tail">The frames before <see cref="FirstFrame"/>; null where only the shape of the request matters.</param>
    public VideoRequest RequestOf(VideoRequest whole, int stride, IReadOnlyList<VideoFrame>? tail)
    {
        KnownFrame[] own = [.. whole.KnownFrames.Where(known => known.Index >= FirstFrame && known.Index < EndFrame).Select(known => known with { Index = known.Index - Origin })];
        IEnumerable<KnownFrame> before = [];
        if (BeginsWithPicture && tail is not null)
        {
            // The encoder looks back from a known frame: there it finds what the video shows.
            IEnumerable<VideoFrame> overlap = tail.TakeLast(FirstFrame - Origin);
            before = GivenVideo.Known(own.Length == 0 ? overlap.Take(1) : overlap, 0);
        }
        return whole with
        {
            Prompt = Prompt,
            FrameCount = 1 + ((Latents - 1) * stride),
            FirstLatentFrame = FirstLatent,
            KnownFrames = [.. before, .. own],
            LaterPrompts = [],
            WindowFrames = null,
            OverlapFrames = null,
        };
    }
}
