using Sora.Sampling;
using Sora.Training.SpriteWorld;

namespace Sora.Weights;

/// <summary>
/// The published models as data. Dimensions are those of their config.json files; sizes, steps, guidance and shift those of
/// the authors' own programs (github.com/Wan-Video/Wan2.1: generate.py, wan/configs; Wan2.2: wan/configs/wan_*.py).
/// </summary>
internal static class PublishedModels
{
    /// <summary>What the authors' programs steer away from where a request says nothing (wan/configs/shared_config.py).</summary>
    private const string NegativePrompt =
        "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，丑陋的，残缺的，多余的手指，"
        + "画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走";

    // At how many times the size of the latent the pocket model draws its map of what is where.
    private const double PocketMapGain = 16;

    // The channels of its latent: what its autoencoder's networks fill, the code of what they lose, and both with the map.
    private const int PocketOwn = 48;
    private const int PocketCode = 192;
    private const int PocketLatents = PocketOwn + PocketCode + SemanticMap.Channels;

    private static readonly UMT5Config UMT5XXL = new()
    {
        DModel = 4096,
        DKv = 64,
        DFf = 10240,
        NumHeads = 64,
        NumLayers = 24,
        VocabSize = 256384,
    };

    private static readonly ClipVisionConfig ClipVitH14 = new()
    {
        HiddenSize = 1280,
        IntermediateSize = 5120,
        NumHiddenLayers = 32,
        NumAttentionHeads = 16,
        ImageSize = 224,
        PatchSize = 14,
        HiddenAct = ClipVisionConfig.Gelu,
        ProjectionDim = 1024,
    };

    private static readonly AutoencoderKLWanConfig Vae21 = new();

    private static readonly AutoencoderKLWanConfig Vae22 = new()
    {
        BaseDim = 160,
        DecoderBaseDim = 256,
        ZDim = 48,
        LatentsMean = WanLatentStatistics.Mean48,
        LatentsStd = WanLatentStatistics.Deviation48,
        IsResidual = true,
        InChannels = 12,
        OutChannels = 12,
        PatchSize = 2,
    };

    private static readonly WanTransformerConfig T2V14B = TextToVideo(heads: 40, ffn: 13824, layers: 40, channels: 16);

    private static readonly WanTransformerConfig I2V14B =
        T2V14B with { InChannels = 36, ImageDim = 1280, AddedKvProjDim = 5120 };

    private static readonly RequestDefaults Wan21 = new()
    {
        Width = 1280,
        Height = 720,
        FrameCount = 81,
        FramesPerSecond = 16,
        Steps = 50,
        GuidanceScale = 5,
        Shift = 5,
        NegativePrompt = NegativePrompt,
    };

    /// <summary>What the models of the Wan family share unless they say otherwise.</summary>
    private static readonly PublishedModel Wan = new()
    {
        Name = "wan2.1-t2v-14b",
        Title = "Wan 2.1 T2V 14B, text to video",
        Repository = "Wan-AI/Wan2.1-T2V-14B-Diffusers",
        Transformer = T2V14B,
        Vae = Vae21,
        TextEncoder = UMT5XXL,
        Defaults = Wan21,
    };

    /// <summary>Every model, the smaller first in each family.</summary>
    public static IReadOnlyList<PublishedModel> All { get; } =
    [
        Wan with
        {
            Name = "wan2.1-t2v-1.3b",
            Title = "Wan 2.1 T2V 1.3B, text to video",
            Repository = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
            Transformer = TextToVideo(heads: 12, ffn: 8960, layers: 30, channels: 16),
            Defaults = Wan21 with { Width = 832, Height = 480 },
        },
        Wan,
        Wan with
        {
            // 480P and 720P differ in their weights alone; what suits the smaller, the larger can do too.
            Name = "wan2.1-i2v-14b",
            Title = "Wan 2.1 I2V 14B, image to video",
            Repository = "Wan-AI/Wan2.1-I2V-14B-480P-Diffusers",
            Transformer = I2V14B,
            ImageEncoder = ClipVitH14,
            Defaults = Wan21 with { Width = 832, Height = 480, Steps = 40, Shift = 3 },
        },
        Wan with
        {
            Name = "wan2.1-flf2v-14b",
            Title = "Wan 2.1 FLF2V 14B, first and last frame to video",
            Repository = "Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers",
            Transformer = I2V14B with { PosEmbedSeqLen = 2 * 257 },
            ImageEncoder = ClipVitH14,
            Defaults = Wan21 with { Shift = 16 },
        },
        Wan with
        {
            Name = "wan2.2-ti2v-5b",
            Title = "Wan 2.2 TI2V 5B, text or image to video",
            Repository = "Wan-AI/Wan2.2-TI2V-5B-Diffusers",
            Transformer = TextToVideo(heads: 24, ffn: 14336, layers: 30, channels: 48),
            Vae = Vae22,
            ExpandTimesteps = true,
            Defaults = Wan21 with { Height = 704, FrameCount = 121, FramesPerSecond = 24, PerTokenTime = true },
        },
        Wan with
        {
            Name = "wan2.2-t2v-a14b",
            Title = "Wan 2.2 T2V A14B, text to video, two experts",
            Repository = "Wan-AI/Wan2.2-T2V-A14B-Diffusers",
            BoundaryRatio = 0.875,
            Defaults = Wan21 with { Steps = 40, Shift = 12, GuidanceScale = 4, LowNoiseGuidanceScale = 3 },
        },
        Wan with
        {
            Name = "wan2.2-i2v-a14b",
            Title = "Wan 2.2 I2V A14B, image to video, two experts",
            Repository = "Wan-AI/Wan2.2-I2V-A14B-Diffusers",
            Transformer = T2V14B with { InChannels = 36 },
            BoundaryRatio = 0.9,
            Defaults = Wan21 with { Steps = 40, GuidanceScale = 3.5f, LowNoiseGuidanceScale = 3.5f },
        },
        new()
        {
            Name = "pocket",
            Title = "Sora's pocket model",
            Prediction = new(FlowPrediction.Preconditioned, new(SemanticMap.Channels, PocketMapGain), PocketCode),
            Transformer = new()
            {
                PatchSize = [1, 1, 1],
                NumAttentionHeads = 4,
                AttentionHeadDim = 64,
                InChannels = PocketLatents,
                OutChannels = PocketLatents,
                TextDim = 128,
                FreqDim = 128,
                FfnDim = 1024,
                NumLayers = 8,
                MapHarmonics = 4,
                MapGain = PocketMapGain,
                MapTurns = true,
                MapSamples = 24,
            },
            Vae = new()
            {
                BaseDim = 24,
                DecoderBaseDim = 32,
                ZDim = PocketLatents,
                DimMult = [1, 2, 2],
                NumResBlocks = 1,
                TemperalDownsample = [true, true],
                LatentsMean = [.. WanLatentStatistics.Mean48, .. Enumerable.Repeat(0.0, PocketLatents - PocketOwn)],
                LatentsStd = [.. WanLatentStatistics.Deviation48, .. Enumerable.Repeat(1.0, PocketLatents - PocketOwn)],
                IsResidual = true,
                InChannels = 12,
                OutChannels = 12,
                PatchSize = 2,
                LinearCodeFirst = PocketOwn,
                LinearCodeChannels = PocketCode,
            },
            TextEncoder = new() { DModel = 128, DKv = 32, DFf = 256, NumHeads = 4, NumLayers = 2, VocabSize = 483 },
            Defaults = new()
            {
                Width = 64,
                Height = 64,
                FrameCount = 17,
                FramesPerSecond = 8,
                Steps = 20,
                GuidanceScale = 2,
                Shift = 5,
                MaxSequenceLength = 40,
                PerTokenTime = true,
                World = "by-day",
                SemanticMap = true,
            },
        },
    ];

    private static WanTransformerConfig TextToVideo(int heads, int ffn, int layers, int channels) => new()
    {
        NumAttentionHeads = heads,
        AttentionHeadDim = 128,
        InChannels = channels,
        OutChannels = channels,
        TextDim = 4096,
        FfnDim = ffn,
        NumLayers = layers,
    };
}
