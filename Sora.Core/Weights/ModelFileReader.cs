using System.Text.RegularExpressions;

namespace Sora.Weights;

/// <summary>
/// Makes a model of files that are recognised by their tensors: the original Wan release (A14B with its two folders), or the
/// single files of ComfyUI. Configs follow from shapes, from the release's config.json, and from the published models.
/// </summary>
internal static class ModelFileReader
{
    private const string Tokenizer = "spiece.model";

    /// <exception cref="SoraException">A part is missing, is there twice, or does not fit; the message says what was found.</exception>
    public static ModelFolder Read(ModelFileScan scan)
    {
        (NetworkFiles transformer, NetworkFiles? second) = Transformers(scan);
        OriginalConfig? original = OriginalConfig.Find(FolderOf(transformer.Path));
        WanTransformerConfig config = TransformerConfig(transformer), secondConfig = second is null ? config : TransformerConfig(second);
        (NetworkFiles vae, AutoencoderKLWanConfig vaeConfig) = Only(scan, NetworkKind.Vae, VaeConfig,
            found => found.ZDim == config.OutChannels, $"a VAE with {config.OutChannels} latent channels");
        (NetworkFiles text, UMT5Config textConfig) = Only(scan, NetworkKind.TextEncoder, TextConfig,
            found => found.DModel == config.TextDim, $"a UMT5 text encoder {config.TextDim} wide");
        (NetworkFiles Files, ClipVisionConfig Config)? image = config.ImageDim is not { } width ? null
            : Only(scan, NetworkKind.ImageEncoder, ImageConfig, found => found.HiddenSize == width, $"a CLIP image encoder {width} wide");

        PublishedModel? published = PublishedModel.Of(config, second is not null);
        ModelIndex index = IndexOf(config, second is not null, image is not null, published, original?.ModelType);
        var scheduler = new SchedulerConfig { ClassName = SchedulerConfig.UniPC, Shift = published?.Defaults.Shift ?? 5, Prediction = published?.Prediction ?? default };
        ModelFolder folder = ModelFolder.Create(scan.Path, index, config, second is null ? null : secondConfig, vaeConfig, textConfig,
            new TokenizerConfig { ModelMaxLength = original?.TextLength ?? 512 }, scheduler);
        (string tokenizer, string? tensor) = FindTokenizer(scan.Path, text);
        folder = folder with
        {
            Layout = ModelLayout.Files,
            Networks = Parts(transformer, second, vae, text, image?.Files),
            SentencePiecePath = tokenizer,
            SentencePieceTensor = tensor,
            ImageEncoder = image?.Config,
            ImageProcessor = image is { } encoder ? ProcessorOf(encoder.Config) : null,
        };
        ModelFolderReader.RequireFit(folder);
        return folder with { Defaults = ModelFolderReader.ReadDefaults(folder, original?.TextLength ?? 512) };
    }

    /// <summary>The config of a transformer's files: of a config.json beside them, else of the tensors.</summary>
    public static WanTransformerConfig TransformerConfig(NetworkFiles files)
    {
        using WeightStore store = files.Open();
        string beside = Path.Combine(FolderOf(files.Path), "config.json");
        if (IsOf(beside, "_class_name", WanTransformerConfig.ClassName))
            return WanTransformerConfig.Load(beside);
        return OriginalConfig.Find(FolderOf(files.Path)) is { } original ? original.Complete(store) : InferredConfigs.Transformer(store);
    }

    /// <inheritdoc cref="TransformerConfig"/>
    public static AutoencoderKLWanConfig VaeConfig(NetworkFiles files) =>
        Config(files, "_class_name", AutoencoderKLWanConfig.ClassName, AutoencoderKLWanConfig.Load, InferredConfigs.Vae);

    /// <inheritdoc cref="TransformerConfig"/>
    public static UMT5Config TextConfig(NetworkFiles files) => Config(files, "model_type", "umt5", UMT5Config.Load, InferredConfigs.TextEncoder);

    /// <inheritdoc cref="TransformerConfig"/>
    public static ClipVisionConfig ImageConfig(NetworkFiles files) =>
        Config(files, "model_type", "clip_vision_model", ClipVisionConfig.Load, InferredConfigs.ImageEncoder);

    private static T Config<T>(NetworkFiles files, string field, string value, Func<string, T> load, Func<WeightStore, T> infer)
    {
        string beside = Path.Combine(FolderOf(files.Path), "config.json");
        if (IsOf(beside, field, value))
            return load(beside);
        using WeightStore store = files.Open();
        return infer(store);
    }

    /// <summary>One transformer, or two of which the paths say which is which.</summary>
    private static (NetworkFiles First, NetworkFiles? Second) Transformers(ModelFileScan scan)
    {
        IReadOnlyList<NetworkFiles> found = scan.Of(NetworkKind.Transformer);
        // One file alone is an expert where it says so in full; of two, a word that tells them apart suffices.
        NetworkFiles[] high = [.. found.Where(files => IsExpert(files, "high", found.Count == 2))];
        NetworkFiles[] low = [.. found.Where(files => IsExpert(files, "low", found.Count == 2))];
        return (found.Count, high.Length, low.Length) switch
        {
            (0, _, _) => throw Missing(scan, "a Wan transformer"),
            (1, 0, 0) => (found[0], null),
            (2, 1, 1) when high[0] != low[0] => (high[0], low[0]),
            (1, 1, 0) => throw Missing(scan, $"the expert for low noise that belongs to {high[0].Path}"),
            (1, 0, 1) => throw Missing(scan, $"the expert for high noise that belongs to {low[0].Path}"),
            _ => throw Several(scan, "transformers", found),
        };
    }

    private static bool IsExpert(NetworkFiles files, string which, bool wordSuffices)
    {
        // The file and its folder: one further up may be called anything.
        string name = Path.Combine(Path.GetFileName(FolderOf(files.Path)), Path.GetFileName(files.Path));
        return Regex.IsMatch(name, wordSuffices ? $"(?<![a-z]){which}(noise|(?![a-z]))" : $"(?<![a-z]){which}[-_ ]?noise",
            RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
    }

    private static (NetworkFiles, T) Only<T>(
        ModelFileScan scan, NetworkKind kind, Func<NetworkFiles, T> read, Func<T, bool> fits, string what)
    {
        (NetworkFiles Files, T Config)[] found = [.. scan.Of(kind).Select(files => (files, read(files))).Where(one => fits(one.Item2))];
        return found switch
        {
            [var only] => only,
            [] => throw Missing(scan, what),
            _ => throw Several(scan, $"files that are {what}", [.. found.Select(one => one.Files)]),
        };
    }

    private static SoraException Missing(ModelFileScan scan, string what)
    {
        string[] found = [.. scan.Networks.Select(network => $"{Relative(scan, network.Path)} ({network.Kind})"), .. scan.Others.Select(path => $"{Relative(scan, path)} (not recognised)")];
        string unreadable = scan.Unreadable.Count > 0 ? $" Not readable: {ModelFolder.Listing(scan.Unreadable)}" : "";
        return new SoraException($"{scan.Path}: looked for {what}, by its tensors; found {ModelFolder.Listing(found)}.{unreadable}");
    }

    private static SoraException Several(ModelFileScan scan, string what, IEnumerable<NetworkFiles> found) =>
        new($"{scan.Path}: there are several {what}: {string.Join(", ", found.Select(files => Relative(scan, files.Path)))}. Name the transformer's file "
            + "instead of its folder, or keep one of each kind there; two experts have high_noise and low_noise in their names.");

    private static string Relative(ModelFileScan scan, string path) =>
        Directory.Exists(scan.Path) ? Path.GetRelativePath(scan.Path, path) : path;

    private static ModelIndex IndexOf(WanTransformerConfig transformer, bool two, bool image, PublishedModel? published, string? type)
    {
        bool given = transformer.InChannels != transformer.OutChannels;
        return ModelIndex.For(image, two, given) with
        {
            BoundaryRatio = !two ? null : published?.BoundaryRatio ?? (given ? 0.9 : 0.875),
            ExpandTimesteps = published?.ExpandTimesteps ?? type == "ti2v",
        };
    }

    private static Dictionary<string, NetworkFiles> Parts(
        NetworkFiles transformer, NetworkFiles? second, NetworkFiles vae, NetworkFiles text, NetworkFiles? image)
    {
        var parts = new Dictionary<string, NetworkFiles> { ["transformer"] = transformer, ["vae"] = vae, ["text_encoder"] = text };
        if (second is not null)
            parts["transformer_2"] = second;
        if (image is not null)
            parts["image_encoder"] = image;
        return parts;
    }

    /// <summary>CLIP's processor at the encoder's size.</summary>
    public static ClipImageProcessorConfig ProcessorOf(ClipVisionConfig encoder) => new()
    {
        ShortestEdge = encoder.ImageSize,
        CropSize = new(encoder.ImageSize, encoder.ImageSize),
    };

    /// <summary>Beside the text encoder, where the releases keep it, or inside the text encoder's file: in a tensor, or in a GGUF file's metadata.</summary>
    private static (string Path, string? Tensor) FindTokenizer(string path, NetworkFiles text)
    {
        string root = File.Exists(path) ? FolderOf(path) : path, beside = FolderOf(text.Path);
        string[] places = [beside, Path.Combine(beside, "tokenizer"), root, Path.Combine(root, "tokenizer"), Path.Combine(root, "google", "umt5-xxl"), Path.Combine(beside, "google", "umt5-xxl")];
        if (places.Select(folder => Path.Combine(folder, Tokenizer)).FirstOrDefault(File.Exists) is { } file)
            return (file, null);
        const string tensor = "spiece_model";
        using (WeightStore store = WeightSource.Open(text.Path))
            if (store.Contains(tensor))
                return (store.PathOf(tensor), tensor);
        if (Path.GetExtension(text.Path) == ".gguf")
        {
            using var gguf = GgufFile.Open(text.Path);
            if (GgufTokenizer.IsIn(gguf))
                return (text.Path, GgufTokenizer.Pieces);
        }
        throw new SoraException($"{path}: looked for {Tokenizer}, UMT5's tokenizer, in {string.Join(", ", places.Distinct())}, for a tensor {tensor} in {text.Path}, "
            + "and, in a GGUF file, for its own tokenizer; found none of them.");
    }

    private static bool IsOf(string file, string field, string value) =>
        File.Exists(file) && ConfigFile.Load(file, fields => fields.OptionalText(field)) == value;

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;
}
