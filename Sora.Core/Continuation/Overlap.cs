using Sora.Conditioning;

namespace Sora.Continuation;

/// <summary>How many frames of a given video a model can be told at the beginning and at the end of a window.</summary>
internal static class Overlap
{
    public static readonly ValueRange<int> Range = new(1, 10_000);

    /// <summary>Frames known at the beginning: 1 + s·k, whole latent frames, no more than there are.</summary>
    /// <exception cref="SoraException">The model cannot be told the beginning alone.</exception>
    public static int AtStart(ModelLimits limits, int wanted, int given) => limits.KnownFrames switch
    {
        KnownFrameRule.Any => WholeAtStart(limits, Math.Min(wanted, given)),
        KnownFrameRule.FirstAndLast => throw new SoraException(
            "This model makes a video between its first and its last frame, and cannot extend one; nearest: connect."),
        _ => 1,
    };

    /// <summary>Frames known at the end: s·k, whole latent frames. Where fewer are given, their latent frame is known all the same.</summary>
    /// <exception cref="SoraException">The model cannot be told the end alone.</exception>
    public static int AtEnd(ModelLimits limits, int wanted, int given) => limits.KnownFrames == KnownFrameRule.Any
        ? WholeAtEnd(limits, Math.Min(wanted, given))
        : throw new SoraException("This model starts from a first frame, and cannot extend a video backward; nearest: forward.");

    /// <summary>Frames known at the beginning and at the end of one window.</summary>
    /// <exception cref="SoraException">The model cannot be told both.</exception>
    public static (int Start, int End) AtBoth(ModelLimits limits, int wanted, int first, int second) => limits.KnownFrames switch
    {
        KnownFrameRule.Any => (WholeAtStart(limits, Math.Min(wanted, first)), WholeAtEnd(limits, Math.Min(wanted, second))),
        KnownFrameRule.First => throw new SoraException("This model can be told the first frame alone, and cannot connect videos; nearest: extend."),
        _ => (1, 1),
    };

    private static int WholeAtStart(ModelLimits limits, int frames) => ((frames - 1) / limits.TemporalStride * limits.TemporalStride) + 1;

    private static int WholeAtEnd(ModelLimits limits, int frames) => Math.Max(1, frames / limits.TemporalStride) * limits.TemporalStride;
}
