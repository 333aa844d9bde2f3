using Sora.Latents;
using Sora.Layers;
using Sora.Tests.Text;
using Sora.Text;
using Sora.Training;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Tests.Generation;

/// <summary>
/// A complete model folder of a few hundred KB: every part is there, all weights are random. It makes noise, in
/// milliseconds.
/// </summary>
internal static class TinyModel
{
    private static readonly Lazy<string> Made = new(MakeOnce);

    public static SentencePieceTokenizer Tokenizer { get; } =
        SentencePieceTokenizer.Load(new SentencePieceModelBuilder(SmallCorpus.WordCounts).Build());

    public static WanTransformerConfig Transformer { get; } = new()
    {
        NumAttentionHeads = 2,
        AttentionHeadDim = 20,
        InChannels = 4,
        OutChannels = 4,
        TextDim = 24,
        FreqDim = 16,
        FfnDim = 48,
        NumLayers = 2,
    };

    /// <summary>Wan 2.2's kind: 2x2 pixels become channels, then two halvings of height, width and time.</summary>
    public static AutoencoderKLWanConfig Vae { get; } = new()
    {
        BaseDim = 8,
        ZDim = 4,
        DimMult = [1, 2, 2],
        NumResBlocks = 1,
        TemperalDownsample = [true, true],
        IsResidual = true,
        PatchSize = 2,
        InChannels = 12,
        OutChannels = 12,
        LatentsMean = [0.1, 0.2, -0.3, 0],
        LatentsStd = [1, 2, 0.5, 1.25],
    };

    public static UMT5Config TextEncoder { get; } = new()
    {
        DModel = 24,
        DKv = 8,
        DFf = 48,
        NumHeads = 3,
        NumLayers = 2,
        VocabSize = Tokenizer.VocabularySize,
    };

    public static RequestDefaults Defaults { get; } = new()
    {
        Width = 32,
        Height = 32,
        FrameCount = 5,
        FramesPerSecond = 8,
        Steps = 4,
        Shift = 3,
        MaxSequenceLength = 16,
    };

    /// <summary>The folder, made once a test run and removed at its end. Not to be changed: see <see cref="CopyTo"/>.</summary>
    public static string Folder => Made.Value;

    /// <summary>Loads the model on one thread in float32, so that the numbers do not depend on the machine's load.</summary>
    public static Task<VideoGenerator> LoadAsync(string? folder = null, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        VideoGenerator.LoadAsync(folder ?? Folder, new() { Device = "cpu", Precision = Precision.Full, Threads = 1 }, progress, cancellationToken);

    /// <summary>Loads the model and generates once: networks may keep what they prepare at their first use.</summary>
    public static async Task<VideoGenerator> LoadUsedAsync()
    {
        VideoGenerator generator = await LoadAsync();
        await Pixels.OfAsync(generator, new VideoRequest("a fish") { Steps = 1 });
        return generator;
    }

    public static void CopyTo(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(folder, Path.GetRelativePath(Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }

    /// <summary>Writes a model, by default that of <see cref="Folder"/>; with two experts both have random weights of their own.</summary>
    public static void Create(string folder, WanTransformerConfig? transformer = null, RequestDefaults? defaults = null, bool twoExperts = false)
    {
        WanTransformerConfig shape = transformer ?? Transformer;
        ModelIndex index = !twoExperts ? new() : new()
        {
            BoundaryRatio = 0.875,
            Components = [.. new ModelIndex().Components, new("transformer_2", "diffusers", WanTransformerConfig.ClassName)],
        };
        foreach (ModelComponent part in index.Components)
            Directory.CreateDirectory(Path.Combine(folder, part.Name));
        index.Save(Path.Combine(folder, "model_index.json"));
        (defaults ?? Defaults).Save(Path.Combine(folder, RequestDefaults.FileName));
        new SchedulerConfig { ClassName = SchedulerConfig.UniPC, Shift = Defaults.Shift }.Save(Path.Combine(folder, "scheduler", "scheduler_config.json"));
        new TokenizerConfig { ModelMaxLength = 512 }.Save(Path.Combine(folder, "tokenizer", "tokenizer_config.json"));
        new SentencePieceModelBuilder(SmallCorpus.WordCounts).Write(Path.Combine(folder, "tokenizer", "spiece.model"));
        TextEncoder.Save(Path.Combine(folder, "text_encoder", "config.json"));
        string[] experts = twoExperts ? ["transformer", "transformer_2"] : ["transformer"];
        Vae.Save(Path.Combine(folder, "vae", "config.json"));

        using (UMT5Encoder encoder = new(TextEncoder, new FreshParameters(1, float32)))
            Write(Path.Combine(folder, "text_encoder", "model.safetensors"), encoder.Parameters);
        for (int i = 0; i < experts.Length; i++)
        {
            shape.Save(Path.Combine(folder, experts[i], "config.json"));
            using DiffusionTransformer network = new(shape, new FreshParameters(2 + (100 * (ulong)i), float32));
            Write(Path.Combine(folder, experts[i], "diffusion_pytorch_model.safetensors"), network.Parameters);
        }
        using (VideoAutoencoder vae = new(Vae, new FreshParameters(3, float32)))
            Write(Path.Combine(folder, "vae", "diffusion_pytorch_model.safetensors"), vae.Parameters);
    }

    private static void Write(string path, IReadOnlyDictionary<string, Parameter> parameters)
    {
        foreach ((string name, Parameter parameter) in parameters)
            FillIfZero(name, parameter);
        SafetensorsWriter.Write(path, parameters.Select(parameter => TrainingState.ContentOf(parameter.Key, parameter.Value, float32)));
    }

    // What starts at zero, the output heads above all, would make every prompt and seed give the same video.
    private static void FillIfZero(string name, Parameter parameter)
    {
        if (parameter.bytes.ContainsAnyExcept((byte)0))
            return;
        var values = new float[parameter.NumberOfElements];
        new GaussianNoise(4, name).Fill(values);
        for (int i = 0; i < values.Length; i++)
            values[i] *= 0.2f;
        System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).CopyTo(parameter.bytes);
    }

    private static string MakeOnce()
    {
        string folder = Directory.CreateTempSubdirectory("sora-tiny-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        Create(folder);
        return folder;
    }
}
