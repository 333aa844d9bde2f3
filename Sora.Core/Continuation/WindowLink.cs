using Sora.Frames;
using Sora.VideoVae;

namespace Sora.Continuation;

/// <summary>
/// What a window of a long video takes over from the one before: its last latent frames, and what the decoder remembers.
/// </summary>
/// <remarks>
/// <para>
/// Latent frames stay latent frames, and the decoder goes on where it was, so that frames come out as from one long latent.
/// The first latent frame of a window is the exception. A network has learned that the first one is a single picture, which
/// the latents of later frames are not; so it is given the frame there, encoded as a picture, as its first known latent
/// (as the long rollouts of CausVid do: Yin et al. 2024, arXiv 2412.07772). It is never decoded.
/// </para>
/// <para>Memory is that of one window: the latent frames and the frames of the overlap are all that is kept.</para>
/// </remarks>
internal sealed class WindowLink : IDisposable
{
    private readonly int _stride;
    private readonly int _longestOverlap;
    private readonly Queue<VideoFrame> _tail = new();
    private Tensor? _last;
    private readonly SpatialTiles _tiles;
    private readonly bool _repeats;
    private TiledVideo _decoder;
    private TiledVideo? _decoderBefore;

    /// <param name="frameCount">The frames of the whole video.</param>
    /// <param name="longestOverlap">The most latent frames that a window takes over.</param>
    /// <param name="stride">Frames that a latent frame stands for.</param>
    /// <param name="tiles">The tiles in which the frames are decoded.</param>
    /// <param name="repeats">Whether a window may be decoded a second time; what the decoder remembered before it is kept for that.</param>
    public WindowLink(int frameCount, int longestOverlap, int stride, SpatialTiles tiles, bool repeats) =>
        (FrameCount, _longestOverlap, _stride, _tiles, _repeats, _decoder) = (frameCount, longestOverlap, stride, tiles, repeats, new(tiles));

    /// <summary>The frames of the whole video.</summary>
    public int FrameCount { get; }

    /// <summary>The window that is made.</summary>
    public VideoWindow Window { get; private set; } = null!;

    /// <summary>The frames before the window, as many as a window takes over.</summary>
    public IReadOnlyList<VideoFrame> Tail => [.. _tail];

    /// <summary>The place in the window of the first latent frame that is taken over as it is.</summary>
    public int CarriedAt => Window.BeginsWithPicture ? 1 : 0;

    /// <summary>How many latent frames are taken over as they are.</summary>
    public int CarriedCount => Window.Known - CarriedAt;

    /// <summary>These latent frames [1, C, k, h, w], normalised.</summary>
    public Tensor Carried() => _last!.narrow(2, _last.size(2) - CarriedCount, CarriedCount);

    /// <summary>Goes on to a window; one that knows nothing begins a new shot.</summary>
    public void Begin(VideoWindow window)
    {
        Window = window;
        _decoderBefore?.Dispose();
        _decoderBefore = null;
        if (window.Known > 0)
            return;
        _last?.Dispose();
        _last = null;
        _tail.Clear();
        _decoder.Dispose();
        _decoder = new(_tiles);
    }

    /// <summary>Keeps the end of the window's latent [1, C, t, h, w], normalised.</summary>
    public void Keep(Tensor latent)
    {
        int kept = (int)Math.Min(_longestOverlap, latent.size(2));
        Tensor last = latent.narrow(2, latent.size(2) - kept, kept).clone().DetachFromDisposeScope();
        _last?.Dispose();
        _last = last;
    }

    /// <summary>Keeps a frame of the result as long as a window may begin with it.</summary>
    public void Keep(VideoFrame frame)
    {
        _tail.Enqueue(frame);
        if (_tail.Count > 1 + ((_longestOverlap - 1) * _stride))
            _tail.Dequeue();
    }

    /// <summary>
    /// Decodes what the window adds; its latent is [1, z, t, h, w] in the decoder's scale. Where a window may be
    /// decoded twice, calling again begins with what was remembered before the window.
    /// </summary>
    public IEnumerable<Tensor> DecodeChunks(VideoAutoencoder vae, Tensor latent)
    {
        if (_decoderBefore is not null)
        {
            _decoder.Dispose();
            _decoder = _decoderBefore.Copy();
        }
        else if (_repeats)
        {
            _decoderBefore = _decoder.Copy();
        }
        return vae.DecodeChunks(latent.narrow(2, Window.Known, latent.size(2) - Window.Known), _decoder);
    }

    /// <summary>Frees what is kept.</summary>
    public void Dispose()
    {
        _last?.Dispose();
        _decoder.Dispose();
        _decoderBefore?.Dispose();
    }
}
