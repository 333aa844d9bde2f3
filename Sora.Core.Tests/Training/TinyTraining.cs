using Sora.Training;
using Sora.Weights;

namespace Sora.Tests.Training;

/// <summary>Trainings of a few small steps.</summary>
internal static class TinyTraining
{
    public static VaeTrainingConfig Vae(string folder, long steps) => new()
    {
        Vae = new AutoencoderKLWanConfig
        {
            BaseDim = 4,
            ZDim = 4,
            DimMult = [1, 2, 2],
            NumResBlocks = 1,
            TemperalDownsample = [true, true],
            IsResidual = true,
            PatchSize = 2,
            InChannels = 12,
            OutChannels = 12,
            LatentsMean = [0, 0, 0, 0],
            LatentsStd = [1, 1, 1, 1],
        },
        RunFolder = Path.Combine(folder, "vae-run"),
        OutputFolder = Path.Combine(folder, "vae"),
        Steps = steps,
        PixelsPerStep = 10_000,
    };

    public static FlowTrainingConfig Flow(string folder, long steps) => new()
    {
        Transformer = new WanTransformerConfig
        {
            NumAttentionHeads = 2,
            AttentionHeadDim = 16,
            InChannels = 4,
            OutChannels = 4,
            TextDim = 16,
            FreqDim = 16,
            FfnDim = 32,
            NumLayers = 2,
        },
        TextEncoder = new UMT5Config { DModel = 16, DKv = 8, DFf = 16, NumHeads = 2, NumLayers = 1, VocabSize = 512 },
        VaeFolder = Path.Combine(folder, "vae"),
        RunFolder = Path.Combine(folder, "flow-run"),
        OutputFolder = Path.Combine(folder, "model"),
        Shape = new ClipShape(32, 32, 9),
        Clips = 8,
        Pictures = 16,
        Steps = steps,
        TokensPerStep = 96,
        MaxTextLength = 24,
        ValidationClips = 2,
    };
}
