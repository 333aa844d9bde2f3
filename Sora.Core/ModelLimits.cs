using Sora.Conditioning;

namespace Sora;

/// <summary>The sizes that a model can make, and what it makes where a request leaves a value open.</summary>
public sealed record ModelLimits
{
    /// <summary>Width and height in pixels are multiples of this: the VAE's spatial stride times the patch size.</summary>
    /// <value>At least 1; 16 for Wan 2.1, 32 for Wan 2.2 5B.</value>
    public required int SpatialStride { get; init => field = AtLeastOne(value, nameof(SpatialStride)); }

    /// <summary>The number of frames is a multiple of this, plus 1.</summary>
    /// <value>At least 1; 4 for Wan.</value>
    public required int TemporalStride { get; init => field = AtLeastOne(value, nameof(TemporalStride)); }

    /// <summary>The longest prompt in tokens, the end token included; what exceeds it is cut.</summary>
    /// <value>At least 1; 512 for Wan.</value>
    public int MaximumTokens { get; init => field = AtLeastOne(value, nameof(MaximumTokens)); } = 512;

    /// <summary>Which frames of a video the model can be given, and must be given.</summary>
    /// <value>By default <see cref="KnownFrameRule.Any"/>.</value>
    public KnownFrameRule KnownFrames { get; init; } = KnownFrameRule.Any;

    /// <summary>
    /// The part of the drawn world whose captions the model was trained on, a name that
    /// <see cref="Training.SpriteWorld.SpriteWorldConfig.Find"/> knows; null for other models.
    /// </summary>
    public string? World { get; init; }

    /// <summary>Whether the model has two experts, one for the noisy steps and one for the others.</summary>
    public bool HasTwoExperts { get; init; }

    /// <summary>Default of <see cref="VideoRequest.NegativePrompt"/>.</summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>Default of <see cref="VideoRequest.Width"/> in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Default of <see cref="VideoRequest.Height"/> in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>Default of <see cref="VideoRequest.FrameCount"/>.</summary>
    public required int FrameCount { get; init; }

    /// <summary>Default of <see cref="VideoRequest.FramesPerSecond"/>.</summary>
    public required int FramesPerSecond { get; init; }

    /// <summary>Default of <see cref="VideoRequest.Steps"/>.</summary>
    public required int Steps { get; init; }

    /// <summary>Default of <see cref="VideoRequest.GuidanceScale"/>.</summary>
    public required float GuidanceScale { get; init; }

    /// <summary>Default of <see cref="VideoRequest.LowNoiseGuidanceScale"/>; null: that of <see cref="GuidanceScale"/>.</summary>
    public float? LowNoiseGuidanceScale { get; init; }

    /// <summary>Default of <see cref="VideoRequest.GuidanceInterval"/>.</summary>
    public SigmaInterval GuidanceInterval { get; init; } = SigmaInterval.All;

    /// <summary>Default of <see cref="VideoRequest.Shift"/>.</summary>
    public required float Shift { get; init; }

    /// <summary>The number of patches of a video that <see cref="Shift"/> is for; null: of any.</summary>
    public int? ShiftTokens { get; init; }

    /// <summary>Default of <see cref="VideoRequest.Sampler"/>.</summary>
    public required Sampler Sampler { get; init; }

    /// <summary>The number of frames s·n + 1, s being <see cref="TemporalStride"/>, nearest to another; the larger of two.</summary>
    /// <param name="frames">At least 1.</param>
    /// <returns>1 to what a request can have.</returns>
    public int NearestFrameCount(int frames) =>
        (Math.Clamp((frames - 1 + (TemporalStride / 2)) / TemporalStride, 0, (VideoRequest.MostFrames - 1) / TemporalStride) * TemporalStride) + 1;

    /// <summary>The default of <see cref="VideoRequest.Shift"/> for a size and length: <see cref="Shift"/> times <see cref="Sampling.SizeShift"/>.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="frames">Frames that are made together.</param>
    /// <returns>0.01 to 100.</returns>
    public float ShiftOf(int width, int height, int frames)
    {
        long tokens = (1L + ((frames - 1) / TemporalStride)) * Math.Max(1, height / SpatialStride) * Math.Max(1, width / SpatialStride);
        return ShiftTokens is null ? Shift : (float)Math.Clamp(Shift * Sampling.SizeShift.Of(tokens, ShiftTokens), 0.01, 100);
    }

    private static int AtLeastOne(int value, string setting)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, setting);
        return value;
    }
}
