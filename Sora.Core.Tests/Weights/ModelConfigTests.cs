using System.Text.Json.Nodes;
using Sora.Sampling;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

public class ModelConfigTests
{
    [Theory]
    [InlineData("num_attention_heads", "0", "num_attention_heads 0 is out of range; allowed: 1 to 1024, nearest: 1")]
    [InlineData("num_attention_heads", null, "num_attention_heads is missing")]
    [InlineData("attention_head_dim", "17", "attention_head_dim is 17; allowed: even numbers from 6 to 1024")]
    [InlineData("attention_head_dim", "4", "attention_head_dim is 4")]
    [InlineData("num_layers", "1000000000", "num_layers 1000000000 is out of range")]
    [InlineData("num_layers", "1e9", "num_layers is 1e9; allowed: a whole number")]
    [InlineData("num_layers", "\"2\"", "num_layers is \"2\"; allowed: a whole number")]
    [InlineData("in_channels", "-1", "in_channels -1 is out of range")]
    [InlineData("patch_size", "[1,2]", "patch_size has 2 values; allowed: 3")]
    [InlineData("patch_size", "[1,0,2]", "patch_size[1] 0 is out of range")]
    [InlineData("patch_size", "2", "patch_size is 2; allowed: a list")]
    [InlineData("freq_dim", "17", "freq_dim is 17; allowed: even numbers; nearest: 16, 18")]
    [InlineData("qk_norm", "\"layer_norm\"", "qk_norm is 'layer_norm'; allowed: rms_norm_across_heads")]
    [InlineData("eps", "-1e-6", "eps -1E-06 is out of range")]
    [InlineData("cross_attn_norm", "1", "cross_attn_norm is 1; allowed: true or false")]
    [InlineData("image_dim", "20", "image_dim is 20 and added_kv_proj_dim is null")]
    [InlineData("pos_embed_seq_len", "514", "pos_embed_seq_len is 514 and image_dim is null")]
    [InlineData("map_harmonics", "17", "map_harmonics 17 is out of range; allowed: 1 to 16, nearest: 16")]
    [InlineData("map_harmonics", "2", "map_harmonics is 2 and patch_size is [1, 2, 2]; allowed: 1x1x1, where a token is a cell of the map")]
    [InlineData("map_turns", "true", "map_turns is true and map_harmonics is null; allowed: false, or map_harmonics from 1 to 16")]
    [InlineData("map_samples", "8", "map_samples is 8 and map_harmonics is null; allowed: null, or map_harmonics from 1 to 16")]
    [InlineData("map_samples", "0", "map_samples 0 is out of range; allowed: 1 to 1024, nearest: 1")]
    [InlineData("map_gain", "0.5", "map_gain 0.5 is out of range; allowed: 1 to 1000, nearest: 1")]
    [InlineData("_class_name", "\"WanModel\"", "_class_name is 'WanModel'; allowed: WanTransformer3DModel")]
    public void AWrongTransformerIsNamed(string field, string? value, string message) =>
        AssertRefused(TestModel.Transformer.ToJson(), field, value, message, text => WanTransformerConfig.Parse(text, "x/config.json"));

    [Fact]
    public void TexturesOfAMapAreWrittenWhereThereAreSome()
    {
        Assert.DoesNotContain("map_", TestModel.Transformer.ToJson(), StringComparison.Ordinal);
        WanTransformerConfig textured = TestModel.Transformer with { PatchSize = [1, 1, 1], InChannels = 13, OutChannels = 13, MapHarmonics = 3, MapGain = 8 };
        Assert.Equal(textured, WanTransformerConfig.Parse(textured.ToJson()));
        WanTransformerConfig turned = textured with { MapTurns = true };
        Assert.Equal(turned, WanTransformerConfig.Parse(turned.ToJson()));
        WanTransformerConfig sampled = turned with { MapSamples = 5 };
        Assert.Equal(sampled, WanTransformerConfig.Parse(sampled.ToJson()));
        Assert.Contains("map_harmonics is 3 and in_channels is 12; allowed: more than the 12 of the map",
            Assert.Throws<SoraException>(() => WanTransformerConfig.Parse((textured with { InChannels = 12 }).ToJson())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("z_dim", "5", "latents_mean has 4 values; z_dim allows 5")]
    [InlineData("latents_std", "[1,1,1]", "latents_std has 3 values; z_dim allows 4")]
    [InlineData("latents_std", "[1,1,0,1]", "latents_std[2] 0 is out of range")]
    [InlineData("latents_mean", null, "latents_mean is missing and z_dim is 4")]
    [InlineData("dim_mult", "[1,2]", "temperal_downsample has 3 values; dim_mult has 2, which allows 1")]
    [InlineData("dim_mult", "[]", "dim_mult has 0 values; allowed: 1 to 8")]
    [InlineData("attn_scales", "[0.5]", "attn_scales is [0.5]; allowed: []")]
    [InlineData("scale_factor_spatial", "16", "scale_factor_spatial is 16; dim_mult, patch_size and temperal_downsample give 8")]
    [InlineData("scale_factor_temporal", "8", "scale_factor_temporal is 8")]
    [InlineData("patch_size", "2", "in_channels is 3; patch_size 2 allows 12, 3 colours a pixel")]
    [InlineData("in_channels", "12", "in_channels is 12; patch_size 1 allows 3")]
    [InlineData("base_dim", "0", "base_dim 0 is out of range")]
    public void AWrongVaeIsNamed(string field, string? value, string message) =>
        AssertRefused(TestModel.Vae.ToJson(), field, value, message, text => AutoencoderKLWanConfig.Parse(text, "x/config.json"));

    [Theory]
    [InlineData("d_model", null, "d_model is missing")]
    [InlineData("num_heads", "0", "num_heads 0 is out of range")]
    [InlineData("model_type", "\"t5\"", "model_type is 't5'; allowed: umt5")]
    [InlineData("feed_forward_proj", "\"relu\"", "feed_forward_proj is 'relu'; allowed: gated-gelu")]
    [InlineData("relative_attention_num_buckets", "30", "relative_attention_num_buckets is 30")]
    [InlineData("relative_attention_max_distance", "8", "relative_attention_num_buckets 32 allows 9 and more")]
    [InlineData("eos_token_id", "300", "eos_token_id is 300; vocab_size allows 0 to 299")]
    public void AWrongTextEncoderIsNamed(string field, string? value, string message) =>
        AssertRefused(TestModel.TextEncoder.ToJson(), field, value, message, text => UMT5Config.Parse(text, "x/config.json"));

    [Theory]
    [InlineData("hidden_size", null, "hidden_size is missing")]
    [InlineData("hidden_size", "17", "hidden_size 17 is not a multiple of num_attention_heads 2; nearest: 16, 18")]
    [InlineData("hidden_size", "2147483647", "hidden_size 2147483647 is out of range")]
    [InlineData("image_size", "33", "image_size 33 is not a multiple of patch_size 8; nearest: 32, 40")]
    [InlineData("patch_size", "0", "patch_size 0 is out of range")]
    [InlineData("num_hidden_layers", "0", "num_hidden_layers 0 is out of range; allowed: 1 to 1024, nearest: 1")]
    [InlineData("num_channels", "1", "num_channels 1 is out of range; allowed: 3 to 3")]
    [InlineData("hidden_act", "\"relu\"", "hidden_act is 'relu'; allowed: gelu, quick_gelu")]
    [InlineData("layer_norm_eps", "0", "layer_norm_eps 0 is out of range")]
    [InlineData("model_type", "\"siglip_vision_model\"", "model_type is 'siglip_vision_model'; allowed: clip_vision_model")]
    public void AWrongImageEncoderIsNamed(string field, string? value, string message) =>
        AssertRefused(TestModel.ImageEncoder.ToJson(), field, value, message, text => ClipVisionConfig.Parse(text, "x/config.json"));

    [Theory]
    [InlineData("size", "[32]", "size is [32]; allowed: {\"shortest_edge\": n} or {\"height\": n, \"width\": n}")]
    [InlineData("size", """{"height": 32}""", "size is {\"height\":32}; allowed:")]
    [InlineData("size", """{"shortest_edge": 32, "longest_edge": 99}""", "allowed: {\"shortest_edge\": n}")]
    [InlineData("size", """{"shortest_edge": 31}""", "crop_size is 32 by 32; size allows up to 31 by 31")]
    [InlineData("size", """{"height": 32, "width": 0}""", "size.width 0 is out of range")]
    [InlineData("do_center_crop", "false", "do_center_crop is false and size has a shortest_edge")]
    [InlineData("resample", "2", "resample is 2; allowed: 3")]
    [InlineData("do_normalize", "false", "do_normalize is false; allowed: true")]
    [InlineData("image_mean", "[0.5]", "image_mean has 1 values; allowed: 3")]
    [InlineData("image_std", "[1,0,1]", "image_std[1] 0 is out of range")]
    [InlineData("image_processor_type", "\"SiglipImageProcessor\"", "image_processor_type is 'SiglipImageProcessor'; allowed: CLIPImageProcessor, CLIPImageProcessorFast")]
    public void AWrongImageProcessorIsNamed(string field, string? value, string message) =>
        AssertRefused(TestModel.ImageProcessor.ToJson(), field, value, message, text => ClipImageProcessorConfig.Parse(text, "x/config.json"));

    [Fact]
    public void AnOlderImageProcessorGivesNumbersForSizes()
    {
        var config = ClipImageProcessorConfig.Parse("""{"size": 224, "crop_size": 200, "feature_extractor_type": "CLIPFeatureExtractor", "resample": 3}""");
        Assert.Equal(new ClipImageProcessorConfig { ShortestEdge = 224, CropSize = new(200, 200) }, config);
    }

    [Theory]
    [InlineData("_class_name", "\"DDIMScheduler\"", "_class_name is 'DDIMScheduler'; allowed: FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler")]
    [InlineData("solver_order", "4", "solver_order 4 is out of range; allowed: 1 to 3, nearest: 3")]
    [InlineData("solver_type", "\"bh3\"", "solver_type is 'bh3'; allowed: bh1, bh2")]
    [InlineData("prediction_type", "\"epsilon\"", "prediction_type is 'epsilon'; allowed: flow_prediction, preconditioned_flow")]
    [InlineData("use_flow_sigmas", "false", "use_flow_sigmas is false; allowed: true")]
    [InlineData("use_karras_sigmas", "true", "use_karras_sigmas is true; allowed: false")]
    [InlineData("flow_shift", "0", "shift 0 is out of range")]
    [InlineData("disable_corrector", "[0]", "disable_corrector is [0]; allowed: []")]
    public void AWrongSchedulerIsNamed(string field, string? value, string message) =>
        AssertRefused(TestModel.Scheduler.ToJson(), field, value, message, text => SchedulerConfig.Parse(text, "x/config.json"));

    [Theory]
    [InlineData("boundary_ratio", "0.9", "boundary_ratio is 0.9 and transformer_2 is absent")]
    [InlineData("boundary_ratio", "1.5", "boundary_ratio 1.5 is out of range")]
    [InlineData("transformer_2", """["diffusers","WanTransformer3DModel"]""", "transformer_2 is there and boundary_ratio is not")]
    [InlineData("vae", """["diffusers"]""", "vae is [\"diffusers\"]; allowed: [library, class] or [null, null]")]
    [InlineData("expand_timesteps", "\"yes\"", "expand_timesteps is \"yes\"; allowed: true or false")]
    public void AWrongIndexIsNamed(string field, string? value, string message) =>
        AssertRefused(new ModelIndex().ToJson(), field, value, message, text => ModelIndex.Parse(text, "x/config.json"));

    [Theory]
    [InlineData("steps", "0", "steps 0 is out of range; allowed: 1 to 1000, nearest: 1")]
    [InlineData("sampler", "\"unipcc\"", "'unipcc' is unknown; known: euler, heun, unipc, dpmpp-2m, lcm, euler-trailing, nearest: unipc")]
    [InlineData("guidance_scale", "-1", "guidance_scale -1 is out of range")]
    [InlineData("guidance_interval", "\"0.8:0.2\"", "The guidance interval 0.8:0.2 is empty; nearest: 0.2:0.8")]
    [InlineData("guidance_interval", "\"most\"", "'most' is not a guidance interval: two noise levels from 0 to 1")]
    [InlineData("guidance_interval", "1", "guidance_interval is 1; allowed: text")]
    public void WrongRequestDefaultsAreNamed(string field, string? value, string message) =>
        AssertRefused(new RequestDefaults().ToJson(), field, value, message, text => RequestDefaults.Parse(text, "x/config.json"));

    [Fact]
    public void RequestDefaultsAreThoseOfWanWhereTheFileIsSilent()
    {
        var defaults = RequestDefaults.Parse("""{"steps": 8, "fps": 24}""");
        Assert.Equal((832, 480, 81, 24, 8), (defaults.Width, defaults.Height, defaults.FrameCount, defaults.FramesPerSecond, defaults.Steps));
        Assert.Equal((5f, SigmaInterval.All, Sampler.UniPC, 512, "", false),
            (defaults.GuidanceScale, defaults.GuidanceInterval, defaults.Sampler, defaults.MaxSequenceLength, defaults.NegativePrompt, defaults.PerTokenTime));
        RequestDefaults own = defaults with { NegativePrompt = "静态 \"x\"", Sampler = Sampler.Euler, GuidanceScale = 1.1f, GuidanceInterval = new(0.25f, 0.9f), PerTokenTime = true };
        Assert.Equal(own, RequestDefaults.Parse(own.ToJson()));
    }

    [Theory]
    [InlineData("512", 512)]
    [InlineData("1000000000000000019884624838656", null)]
    [InlineData("1e30", null)]
    [InlineData("null", null)]
    public void AnAbsurdTokenLimitMeansNone(string value, int? limit)
    {
        var config = TokenizerConfig.Parse($$$"""{"model_max_length": {{{value}}}, "pad_token": {"content": "<p>"}}""");
        Assert.Equal(limit, config.ModelMaxLength);
        Assert.Equal("<p>", config.PadToken);
        Assert.Equal(config, TokenizerConfig.Parse(config.ToJson()));
    }

    [Theory]
    [InlineData("0", "model_max_length 0 is out of range")]
    [InlineData("1.5", "model_max_length is 1.5; allowed: a whole number")]
    [InlineData("\"512\"", "model_max_length is \"512\"; allowed: a finite number")]
    public void AWrongTokenLimitIsNamed(string value, string message) =>
        Assert.Contains(message,
            Assert.Throws<SoraException>(() => TokenizerConfig.Parse($$$"""{"model_max_length": {{{value}}}}""")).Message, StringComparison.Ordinal);

    [Fact]
    public void ALeadComesBack()
    {
        SchedulerConfig config = TestModel.Scheduler with { Prediction = new(FlowPrediction.Preconditioned, new(12, 8), 20) };
        Assert.Equal(config, SchedulerConfig.Parse(config.ToJson()));
        Assert.Equal(new(FlowPrediction.Preconditioned, new(12, 8), 20), config.Prediction);
        Assert.DoesNotContain("lead", TestModel.Scheduler.ToJson(), StringComparison.Ordinal);
        Assert.DoesNotContain("detail", TestModel.Scheduler.ToJson(), StringComparison.Ordinal);
        AssertRefused(config.ToJson(), "detail_channels", "-1", "detail_channels -1 is out of range", text => SchedulerConfig.Parse(text, "x/config.json"));
        AssertRefused(config.ToJson(), "lead_gain", "0.5", "lead_gain 0.5 is out of range; allowed: 1 to 1000", text => SchedulerConfig.Parse(text, "x/config.json"));
        AssertRefused(config.ToJson(), "lead_channels", "-1", "lead_channels -1 is out of range", text => SchedulerConfig.Parse(text, "x/config.json"));
    }

    [Fact]
    public void TheEulerSchedulerComesBack()
    {
        var config = new SchedulerConfig { ClassName = SchedulerConfig.Euler, Shift = 3 };
        Assert.Equal(config, SchedulerConfig.Parse(config.ToJson()));
        Assert.Contains("\"shift\": 3.0,", config.ToJson(), StringComparison.Ordinal);
        Assert.Equal(Sampler.Euler, config.Sampler);
    }

    [Fact]
    public void ValuesAreCheckedWhereverTheyAreSet()
    {
        Assert.Throws<SoraException>(() => TestModel.Transformer with { NumLayers = 0 });
        Assert.Throws<SoraException>(() => (TestModel.Vae with { ZDim = 7 }).Validate());
        Assert.Throws<SoraException>(() => (TestModel.Vae with { ZDim = 7 }).ToJson());
    }

    [Fact]
    public void UnknownFieldsAreReportedAndHarmless()
    {
        JsonObject json = JsonNode.Parse(TestModel.Transformer.ToJson())!.AsObject();
        json["new_option"] = 5;
        json["_internal"] = 5;
        Assert.Equal(["new_option"], WanTransformerConfig.Parse(json.ToJsonString()).UnknownFields);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "the file holds []; an object is needed")]
    [InlineData("{\"_class_name\": \"a\", \"_class_name\": \"b\"}", "not valid JSON")]
    [InlineData("{\"_class_name\": \"\\ud800\"}", "not valid JSON")]
    [InlineData("{\"_class_name\": NaN}", "not valid JSON")]
    public void TextThatIsNoObjectIsNamed(string text, string message) =>
        Assert.Contains($"x.json: {message}", Assert.Throws<SoraException>(() => ModelIndex.Parse(text, "x.json")).Message, StringComparison.Ordinal);

    [Fact]
    public void FilesAreSavedWholeAndReadWithOrWithoutByteOrderMark()
    {
        using var folder = new TemporaryFolder();
        TestModel.Transformer.Save(folder.File("config.json"));
        Assert.Equal(TestModel.Transformer, WanTransformerConfig.Load(folder.File("config.json")));
        folder.Write("bom.json", "\uFEFF" + TestModel.Transformer.ToJson());
        Assert.Equal(TestModel.Transformer, WanTransformerConfig.Load(folder.File("bom.json")));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    private static void AssertRefused(string json, string field, string? value, string message, Func<string, ModelConfig> parse)
    {
        JsonObject fields = JsonNode.Parse(json)!.AsObject();
        fields.Remove(field);
        if (value is not null)
            fields[field] = JsonNode.Parse(value);
        SoraException error = Assert.Throws<SoraException>(() => parse(fields.ToJsonString()));
        Assert.StartsWith("x/config.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
