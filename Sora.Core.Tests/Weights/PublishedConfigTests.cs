using System.Text.Json.Nodes;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>Files as diffusers and transformers publish them are read, and come back byte for byte.</summary>
public class PublishedConfigTests
{
    public static TheoryData<string> Transformers => Names("__transformer");

    public static TheoryData<string> Vaes => Names("__vae");

    [Theory]
    [MemberData(nameof(Transformers))]
    public void PublishedTransformersAreRead(string name)
    {
        var config = WanTransformerConfig.Parse(Published(name));
        Assert.Equal(128, config.AttentionHeadDim);
        Assert.Equal([1, 2, 2], config.PatchSize);
        Assert.Empty(config.UnknownFields);
        Assert.Equal(config, WanTransformerConfig.Parse(config.ToJson()));
    }

    [Theory]
    [MemberData(nameof(Vaes))]
    public void PublishedVaesAreRead(string name)
    {
        var config = AutoencoderKLWanConfig.Parse(Published(name));
        bool is22 = name.Contains("wan2.2", StringComparison.Ordinal);
        Assert.Equal(is22 ? (48, 16, 4, 256) : (16, 8, 4, 96),
            (config.ZDim, config.SpatialStride, config.TemporalStride, config.DecoderWidth));
        Assert.Equal(is22 ? (-0.2289, 0.7744) : (-0.7571, 1.916), (config.LatentsMean[0], config.LatentsStd[^1]));
        Assert.Equal(config, AutoencoderKLWanConfig.Parse(config.ToJson()));
    }

    [Fact]
    public void ThePublishedTextEncoderIsRead()
    {
        var config = UMT5Config.Parse(Published("umt5-xxl__text_encoder"));
        Assert.Equal((4096, 64, 64, 24, 256384), (config.DModel, config.DKv, config.NumHeads, config.NumLayers, config.VocabSize));
        Assert.Equal(config, UMT5Config.Parse(config.ToJson()));
    }

    [Fact]
    public void ThePublishedImageEncoderIsRead()
    {
        var config = ClipVisionConfig.Parse(Published("clip-vit-h-14__image_encoder"));
        Assert.Equal((1280, 5120, 32, 16, 224, 14), (config.HiddenSize, config.IntermediateSize, config.NumHiddenLayers,
            config.NumAttentionHeads, config.ImageSize, config.PatchSize));
        Assert.Equal((257, "gelu", 3), (config.TokenCount, config.HiddenAct, config.NumChannels));
        Assert.Empty(config.UnknownFields);
        Assert.Equal(config, ClipVisionConfig.Parse(config.ToJson()));
    }

    [Fact]
    public void FilesComeBackByteForByte()
    {
        AssertSame(WanTransformerConfig.Load, "A_transformer_t2v", "config.json");
        AssertSame(WanTransformerConfig.Load, "configs", "i2v_transformer.json");
        AssertSame(WanTransformerConfig.Load, "configs", "flf2v_transformer.json");
        AssertSame(AutoencoderKLWanConfig.Load, "D_vae_wan22", "config.json");
        AssertSame(UMT5Config.Load, "E_umt5", "config.json");
        AssertSame(ClipVisionConfig.Load, "H_clip_vision", "config.json");
        AssertSame(ClipImageProcessorConfig.Load, "K_pipeline_i2v", "image_processor", "preprocessor_config.json");
        AssertSame(ClipImageProcessorConfig.Load, "K_pipeline_flf2v", "image_processor", "preprocessor_config.json");
        AssertSame(SchedulerConfig.Load, "G_pipeline_t2v", "scheduler", "scheduler_config.json");
        AssertSame(TokenizerConfig.Load, "G_pipeline_t2v", "tokenizer", "tokenizer_config.json");
        AssertSame(ModelIndex.Load, "G_pipeline_t2v", "model_index.json");
        AssertSame(ModelIndex.Load, "configs", "a14b_model_index.json");
        AssertSame(ModelIndex.Load, "configs", "ti2v_model_index.json");
        AssertSame(ModelIndex.Load, "configs", "i2v_model_index.json");
    }

    [Fact]
    public void FieldsThatWan21LeavesOutAreFilled()
    {
        AutoencoderKLWanConfig config = AutoencoderKLWanConfig.Load(TestWeights.Fixture("C_vae_wan21", "config.json"));
        Assert.Equal((false, null, 3, 3), (config.IsResidual, config.PatchSize, config.InChannels, config.OutChannels));
        Assert.Equal((8, 4, 4), (config.SpatialStride, config.TemporalStride, config.DecoderWidth));
        Assert.Empty(config.UnknownFields);
        Assert.Equal(config, AutoencoderKLWanConfig.Parse(config.ToJson()));
    }

    [Fact]
    public void AnIndexSaysWhichPartsThereAre()
    {
        ModelIndex index = ModelIndex.Load(Config("ti2v_model_index.json"));
        Assert.Equal("WanTransformer3DModel", index.Find("transformer")?.ClassName);
        Assert.Null(index.Find("transformer_2"));
        Assert.Contains(index.Components, component => component is { Name: "transformer_2", IsPresent: false });
        Assert.True(index.ExpandTimesteps);
        Assert.Equal(0.875, ModelIndex.Load(Config("a14b_model_index.json")).BoundaryRatio);
    }

    private static string Config(params string[] parts) => TestWeights.Fixture(["configs", .. parts]);

    private static TheoryData<string> Names(string kind) =>
    [
        .. Directory.GetFiles(TestWeights.Fixture("checkpoints"), $"*{kind}.json")
            .Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal),
    ];

    /// <summary>The configuration in the description of a published checkpoint.</summary>
    private static string Published(string name) =>
        JsonNode.Parse(File.ReadAllText(TestWeights.Fixture("checkpoints", name + ".json")))!["config"]!.ToJsonString();

    private static void AssertSame<T>(Func<string, T> load, params string[] parts)
        where T : ModelConfig
    {
        string path = TestWeights.Fixture(parts);
        T config = load(path);
        Assert.Empty(config.UnknownFields);
        Assert.Equal(File.ReadAllText(path), config.ToJson());
    }
}
