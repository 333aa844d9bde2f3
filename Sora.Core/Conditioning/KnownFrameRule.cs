namespace Sora.Conditioning;

/// <summary>Which frames of a video a model can be given, and must be given.</summary>
public enum KnownFrameRule
{
    /// <summary>Any frames or none: text-to-video models, and models with a time for each token.</summary>
    Any,

    /// <summary>The first frame, always: image-to-video models (Wan 2.1 I2V).</summary>
    First,

    /// <summary>The first frame always, the last one if wanted (Wan 2.2 I2V A14B).</summary>
    FirstAndPerhapsLast,

    /// <summary>The first and the last frame, always (Wan 2.1 FLF2V).</summary>
    FirstAndLast,
}
