using Sora.Conditioning;

namespace Sora.Weights;

/// <summary>
/// Reads a model folder: finds its parts, reads their configurations, and checks that they fit together.
/// </summary>
internal static class ModelFolderReader
{
    private const string IndexFile = "model_index.json";
    private const string ConfigName = "config.json";

    private static readonly string[] DiffusersFolders = ["transformer", "text_encoder", "scheduler"];

    private static readonly EnumerationOptions Nearby =
        new() { RecurseSubdirectories = true, MaxRecursionDepth = 2, IgnoreInaccessible = true };

    public static ModelFolder Read(string path)
    {
        // The index itself stands for its folder.
        if (Path.GetFileName(path) == IndexFile && File.Exists(path))
            path = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!File.Exists(Path.Combine(path, IndexFile)))
            return ReadFiles(path);
        ModelIndex index = ModelIndex.Load(Path.Combine(path, IndexFile));
        RequireParts(path, index);
        bool two = index.Find("transformer_2") is not null;

        ModelFolder folder = ModelFolder.Create(path, index,
            transformer: WanTransformerConfig.Load(FileOf(path, "transformer", ConfigName)),
            transformer2: two ? WanTransformerConfig.Load(FileOf(path, "transformer_2", ConfigName)) : null,
            vae: AutoencoderKLWanConfig.Load(FileOf(path, "vae", ConfigName)),
            textEncoder: UMT5Config.Load(FileOf(path, "text_encoder", ConfigName)),
            tokenizer: ReadTokenizer(path),
            scheduler: SchedulerConfig.Load(FileOf(path, "scheduler", "scheduler_config.json")));
        if (index.Find("image_encoder") is not null)
        {
            folder = folder with
            {
                ImageEncoder = ClipVisionConfig.Load(FileOf(path, "image_encoder", ConfigName)),
                ImageProcessor = ClipImageProcessorConfig.Load(FileOf(path, "image_processor", ClipImageProcessorConfig.FileName)),
            };
        }
        RequireFit(folder);
        folder = folder with { Defaults = ReadDefaults(folder) };

        FileOf(path, "tokenizer", "spiece.model");
        return folder with
        {
            Networks = folder.Networks.ToDictionary(network => network.Key, network => NetworkFiles.InFolder(Path.Combine(path, network.Key), network.Value.Kind)),
        };
    }

    /// <summary>A model without an index, where its files are recognised.</summary>
    private static ModelFolder ReadFiles(string path)
    {
        ModelFileScan scan = ModelFileScan.Of(path);
        // Of a folder of diffusers that has lost its index, the files alone would leave out what its other configs say.
        bool hasLostItsIndex = DiffusersFolders.Any(part => Directory.Exists(Path.Combine(path, part)));
        // What lies beside a file counts only where the file is a transformer.
        if (!hasLostItsIndex && scan.Networks.Count > 0 && (Directory.Exists(path) || scan.Of(NetworkKind.Transformer).Count > 0))
            return ModelFileReader.Read(scan);
        // A download cache keeps the model two levels further down.
        string? below = File.Exists(path) ? null
            : Directory.EnumerateFiles(path, IndexFile, Nearby).Select(Path.GetDirectoryName).FirstOrDefault();
        string hint = below is null ? "" : $" {below} has one.";
        string unreadable = scan.Unreadable.Count > 0 ? $" Not readable: {ModelFolder.Listing(scan.Unreadable)}" : "";
        throw new SoraException(File.Exists(path)
            ? $"{path}: there is no such folder, and as a file it is no Wan transformer, known by its tensors.{unreadable}"
            : $"{path}: looked for {IndexFile}, found {Listing(path)}.{hint}{(scan.Networks.Count > 0 ? "" : $" Nor is there a file of the original Wan release or of ComfyUI, known by its tensors.{unreadable}")}");
    }

    private static void RequireParts(string path, ModelIndex index)
    {
        RequireClass(path, index, "transformer", required: true, WanTransformerConfig.ClassName);
        RequireClass(path, index, "transformer_2", required: false, WanTransformerConfig.ClassName);
        RequireClass(path, index, "vae", required: true, AutoencoderKLWanConfig.ClassName);
        RequireClass(path, index, "text_encoder", required: true, UMT5Config.ClassName);
        RequireClass(path, index, "tokenizer", required: true, "T5Tokenizer", "T5TokenizerFast", "AutoTokenizer");
        RequireClass(path, index, "scheduler", required: true, SchedulerConfig.UniPC, SchedulerConfig.Euler);
        // Without its processor an image encoder cannot be fed.
        RequireClass(path, index, "image_encoder", required: false, ClipVisionConfig.ClassName);
        RequireClass(path, index, "image_processor", required: index.Find("image_encoder") is not null,
            ClipImageProcessorConfig.ClassName, ClipImageProcessorConfig.FastClassName);
    }

    private static void RequireClass(
        string path, ModelIndex index, string part, bool required, params ReadOnlySpan<string> classes)
    {
        if (index.Find(part) is not { ClassName: { } name })
        {
            if (required)
            {
                string[] found = [.. index.Components.Where(other => other.IsPresent).Select(other => other.Name)];
                throw new SoraException(
                    $"{Path.Combine(path, IndexFile)}: {part} is missing; found {ModelFolder.Listing(found)}.");
            }
            return;
        }
        if (!classes.IsEmpty && !classes.Contains(name))
            throw new SoraException(
                $"{Path.Combine(path, IndexFile)}: {part} is a {name}; allowed: {string.Join(", ", classes!)}.");
        if (!Directory.Exists(Path.Combine(path, part)))
            throw new SoraException(
                $"{path}: {IndexFile} lists {part}; looked for a folder {part}, found {Listing(path)}.");
    }

    private static TokenizerConfig ReadTokenizer(string path)
    {
        string file = Path.Combine(path, "tokenizer", "tokenizer_config.json");
        return File.Exists(file) ? TokenizerConfig.Load(file) : new TokenizerConfig();
    }

    /// <summary>The path of a file that must be there.</summary>
    private static string FileOf(string path, string part, string name)
    {
        string file = Path.Combine(path, part, name);
        return File.Exists(file)
            ? file
            : throw new SoraException(
                $"{Path.Combine(path, part)}: looked for {name}, found {Listing(Path.Combine(path, part))}.");
    }

    internal static void RequireFit(ModelFolder folder)
    {
        RequireFit(folder, "transformer", folder.Transformer);
        _ = KnownFrameRules.Of(folder);
        RequireImageFit(folder, "transformer", folder.Transformer);
        if (folder is { ImageEncoder: { } encoder, ImageProcessor.OutputSize: var processed })
        {
            RequireEqual(folder, "image_processor height", processed.Height, "image_encoder image_size", encoder.ImageSize);
            RequireEqual(folder, "image_processor width", processed.Width, "image_encoder image_size", encoder.ImageSize);
        }
        if (folder.Transformer2 is not { } second)
            return;
        RequireFit(folder, "transformer_2", second);
        RequireImageFit(folder, "transformer_2", second);
        RequireEqual(folder, "transformer in_channels", folder.Transformer.InChannels,
            "transformer_2 in_channels", second.InChannels);
        if (folder.Transformer.PatchSize != second.PatchSize)
            throw new SoraException($"{folder.Path}: transformer patch_size is {folder.Transformer.PatchSize}, "
                + $"transformer_2 patch_size is {second.PatchSize}; they must be equal.");
    }

    private static void RequireFit(ModelFolder folder, string part, WanTransformerConfig transformer)
    {
        RequireEqual(folder, $"{part} out_channels", transformer.OutChannels, "vae z_dim", folder.Vae.ZDim);
        RequireEqual(folder, $"{part} text_dim", transformer.TextDim, "text_encoder d_model", folder.TextEncoder.DModel);
        // The causal VAE makes one latent frame more than a multiple, so that only patches of one latent frame always fit.
        if (transformer.PatchSize[0] != 1)
            throw new SoraException(
                $"{folder.Path}: {part} patch_size is {transformer.PatchSize}; allowed: 1 in time.");
        if (transformer.MapHarmonics is not null && transformer.MapGain != folder.MapGain)
        {
            throw new SoraException(FormattableString.Invariant(
                $"{folder.Path}: {part} map_gain is {transformer.MapGain}, the scheduler's lead_gain is {folder.MapGain}; they must be equal."));
        }
        RequireChannels(folder, part, transformer, "lead_channels", folder.Scheduler.Lead?.Channels ?? 0, 0);
        RequireChannels(folder, part, transformer, "detail_channels", folder.Scheduler.Details, folder.Scheduler.Lead?.Channels ?? 0);
    }

    // Channels that are not like the others, before so many that are last.
    private static void RequireChannels(ModelFolder folder, string part, WanTransformerConfig transformer, string name, int channels, int last)
    {
        if (channels == 0)
            return;
        RequireEqual(folder, $"{name} is set, and {part} in_channels", transformer.InChannels, $"{part} out_channels", transformer.OutChannels);
        if (channels + last >= transformer.OutChannels)
            throw new SoraException($"{folder.Path}: {name} is {channels}, {part} out_channels is {transformer.OutChannels}; allowed: fewer{(last > 0 ? $" than {transformer.OutChannels - last}" : "")}.");
    }

    /// <summary>Whether the image tokens that a transformer reads are those that the image encoder makes.</summary>
    private static void RequireImageFit(ModelFolder folder, string part, WanTransformerConfig transformer)
    {
        if (transformer.ImageDim is not { } width)
            return;
        if (folder.ImageEncoder is not { } encoder)
            throw new SoraException($"{folder.Path}: {part} image_dim is {width}: it reads image tokens, and {IndexFile} lists no image_encoder; "
                + $"looked for a folder image_encoder with a {ClipVisionConfig.ClassName}, and image_processor with a {ClipImageProcessorConfig.ClassName}.");
        RequireEqual(folder, $"{part} image_dim", width, "image_encoder hidden_size", encoder.HiddenSize);
        if (transformer.PosEmbedSeqLen is { } length)
            RequireEqual(folder, $"{part} pos_embed_seq_len", length, "the token count of two images", 2 * encoder.TokenCount);
    }

    private static void RequireEqual(ModelFolder folder, string oneName, int one, string otherName, int other)
    {
        if (one != other)
            throw new SoraException($"{folder.Path}: {oneName} is {one}, {otherName} is {other}; they must be equal.");
    }

    /// <summary>
    /// The file's defaults where there is one; else those of the published model, or the general ones, moved to the nearest size that the model can
    /// make.
    /// </summary>
    /// <param name="folder">The model.</param>
    /// <param name="textLength">The length of prompts that another file names; null: the published model's, or the general one.</param>
    internal static RequestDefaults ReadDefaults(ModelFolder folder, int? textLength = null)
    {
        // The schedule is the scheduler's, whatever the model is known for.
        RequestDefaults known = PublishedModel.Of(folder.Transformer, folder.Transformer2 is not null)?.Defaults is { } published
            ? published with { Sampler = folder.Defaults.Sampler, Shift = folder.Defaults.Shift, PerTokenTime = folder.Defaults.PerTokenTime }
            : folder.Defaults;
        RequestDefaults general = known with
        {
            Width = Multiple(known.Width, folder.SpatialStride),
            Height = Multiple(known.Height, folder.SpatialStride),
            FrameCount = Multiple(known.FrameCount - 1, folder.TemporalStride) + 1,
            MaxSequenceLength = textLength ?? known.MaxSequenceLength,
        };
        string file = Path.Combine(folder.Path, RequestDefaults.FileName);
        RequestDefaults defaults = File.Exists(file) ? RequestDefaults.Load(file, general) : general;
        RequireMultiple(file, "width", defaults.Width, folder.SpatialStride, plus: 0);
        RequireMultiple(file, "height", defaults.Height, folder.SpatialStride, plus: 0);
        RequireMultiple(file, "frame_count", defaults.FrameCount, folder.TemporalStride, plus: 1);
        int map = (folder with { Defaults = defaults }).MapChannels;
        if (map >= folder.Vae.ZDim)
            throw new SoraException($"{file}: semantic_map needs a latent of more than {map} channels, and vae z_dim is {folder.Vae.ZDim}.");
        if (map == 0 && folder.Transformer.MapHarmonics is not null)
            throw new SoraException($"{file}: semantic_map is not set, and the transformer has map_harmonics; allowed: both or neither.");
        if (defaults.FewSteps is not null && folder.Transformer2 is not null)
            throw new SoraException($"{file}: few_steps is for models with one transformer, and this one has two; nearest: without few_steps, and the LoRAs given with each run.");
        return defaults;
    }

    private static int Multiple(int value, int stride) => Math.Max(1, (value + (stride / 2)) / stride) * stride;

    private static void RequireMultiple(string file, string field, int value, int stride, int plus)
    {
        if ((value - plus) % stride == 0)
            return;
        int below = ((value - plus) / stride * stride) + plus;
        string rule = plus == 0 ? $"a multiple of {stride}" : $"{stride}n + {plus}";
        string nearest = below > 0 ? $"{below}, {below + stride}" : $"{below + stride}";
        throw new SoraException($"{file}: {field} {value} is not {rule}; nearest: {nearest}.");
    }

    private static string Listing(string folder) =>
        Directory.Exists(folder)
            ? ModelFolder.Listing(
                [.. FolderContents.All(folder).Select(entry => Path.GetFileName(entry)!)])
            : "no such folder";
}
