using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Sora.Conditioning;
using Sora.Continuation;
using Sora.Frames;
using Sora.Weights;

namespace Sora;

/// <summary>
/// What it takes to make a video again: the request and the model. Saved files carry it as JSON in their comment
/// (.mp4, .m4v, .mov, .webm, .png, a folder of .png in its first frame, .gif; .webp and .jpg have no place for it).
/// </summary>
/// <param name="Request">The request. One read from a file has no known frames, no source and no mask: <see cref="GivenFrames"/> tells them.</param>
public sealed record GenerationRecord(VideoRequest Request)
{
    // ffmpeg takes tags as arguments, which the system limits, and .mov has 16 bits for their length.
    private const int LongestComment = 60_000;
    private const int LongestTitle = 1000;
    private const string Marker = "sora";

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <summary>The version of the library.</summary>
    public string Version { get; init; } = typeof(GenerationRecord).Assembly.GetName().Version!.ToString(3);

    /// <summary>The name of the model's folder; null: not known.</summary>
    public string? Model { get; init; }

    /// <summary>
    /// A hash of the model's files: equal for equal files, whatever their folder. Of a file above 64 MB sixteen evenly spread
    /// megabytes count.
    /// </summary>
    public string? ModelFingerprint { get; init; }

    /// <summary>The number format that was computed in.</summary>
    public Precision Precision { get; init; }

    /// <summary>The threads on the CPU.</summary>
    public int? Threads { get; init; }

    /// <summary>The side in pixels of the tiles that the autoencoder worked in (<see cref="VideoGeneratorOptions.VaeTileSize"/>); null: it was not tiled.</summary>
    public int? VaeTileSize { get; init; }

    /// <summary>Whether the model's own LoRA for a few steps was in use (<see cref="VideoGeneratorOptions.FewSteps"/>).</summary>
    public bool FewSteps { get; init; }

    /// <summary>The other LoRAs.</summary>
    public ValueList<LoraFile> Loras { get; init; } = [];

    /// <summary>
    /// A hash of what was given: the known frames' places and pixels, the source's and the mask, or the frames of the videos that
    /// were extended, connected or closed. Null where nothing was given.
    /// </summary>
    public string? GivenFrames { get; init; }

    /// <summary>
    /// What was made of given videos: <c>extend</c>, <c>connect</c>, <c>loop</c> or <c>outpaint</c> with size and place; null for what a request alone describes.
    /// The request is then that of the windows.
    /// </summary>
    public string? Capability { get; init; }

    /// <summary>Where a video was extended; else null.</summary>
    public ExtensionDirection? Direction { get; init; }

    /// <summary>The frames that were added in each direction; else null.</summary>
    public int? AddedFrames { get; init; }

    /// <summary>The frames between connected videos, or that close a loop; else null.</summary>
    public int? GapFrames { get; init; }

    /// <summary>Reads the record that a file carries; null where the file carries none.</summary>
    /// <param name="path">A video, a picture, or a folder of frames.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="SoraException">There is no such file, or its record is damaged.</exception>
    public static GenerationRecord? Read(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (MediaComment.Read(path, cancellationToken) is not { } text || !text.StartsWith($"{{\"{Marker}\":", StringComparison.Ordinal))
            return null;
        try
        {
            return JsonSerializer.Deserialize<Content>(text, Format)?.ToRecord()
                ?? throw new SoraException($"The record of '{path}' is empty.");
        }
        catch (Exception e) when (e is JsonException or SoraException)
        {
            throw new SoraException($"The record of '{path}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Whether a path names a video, a picture or a folder of frames, which may carry a record, and not a model.</summary>
    public static bool IsMedia(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Directory.Exists(path)
            ? File.Exists(Path.Combine(path, PartialFolder.FirstName))
            : VideoFormat.Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());
    }

    /// <summary>The record as JSON, on one line.</summary>
    public string ToJson() => JsonSerializer.Serialize(Content.Of(this), Format);

    /// <summary>The tags of a file: the prompt, as the person wrote it, as its title, and the record as its comment unless it takes more than 60,000 bytes.</summary>
    public IReadOnlyDictionary<string, string> Tags()
    {
        string prompt = Request.OriginalPrompt ?? Request.Prompt, json = ToJson();
        var tags = new Dictionary<string, string> { ["title"] = prompt.Length <= LongestTitle ? prompt : prompt[..LongestTitle] };
        // No model reads that much of a prompt. A file without a record is better than none.
        if (Encoding.UTF8.GetByteCount(json) <= LongestComment)
            tags["comment"] = json;
        return tags;
    }

    /// <summary>The value of <see cref="GivenFrames"/> for a request.</summary>
    internal static string? HashOf(VideoRequest request)
    {
        if (request.KnownFrames.Count == 0 && request.Source is null)
            return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (KnownFrame known in request.KnownFrames.OrderBy(frame => frame.Index))
        {
            hash.AppendData(BitConverter.GetBytes(known.Index));
            hash.AppendData(known.Frame.Rgb.Span);
        }
        foreach (VideoFrame frame in request.Source ?? [])
            hash.AppendData(frame.Rgb.Span);
        foreach (FrameMask mask in request.Mask ?? [])
            hash.AppendData(mask.Values.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    /// <summary>The value of <see cref="GivenFrames"/> for whole videos.</summary>
    internal static string HashOf(params ReadOnlySpan<ValueList<VideoFrame>> videos)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ValueList<VideoFrame> video in videos)
        {
            hash.AppendData(BitConverter.GetBytes(video.Count));
            foreach (VideoFrame frame in video)
                hash.AppendData(frame.Rgb.Span);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    // The file's fields in their order.
    private sealed record Content
    {
        public required string Sora { get; init; }
        public string? Capability { get; init; }
        public string? Direction { get; init; }
        public int? AddedFrames { get; init; }
        public int? GapFrames { get; init; }
        public required string Prompt { get; init; }
        public string? EnhancedPrompt { get; init; }
        public string? NegativePrompt { get; init; }
        public long? Seed { get; init; }
        public long? VariationSeed { get; init; }
        public double? VariationStrength { get; init; }
        public int? Width { get; init; }
        public int? Height { get; init; }
        public int? FrameCount { get; init; }
        public int? FramesPerSecond { get; init; }
        public Later[]? LaterPrompts { get; init; }
        public int? WindowFrames { get; init; }
        public int? OverlapFrames { get; init; }
        public bool? Loop { get; init; }
        public string? Sampler { get; init; }
        public int? Steps { get; init; }
        public float? GuidanceScale { get; init; }
        public float? LowNoiseGuidanceScale { get; init; }
        public string? GuidanceInterval { get; init; }
        public float? GuidanceRescale { get; init; }
        public float? Shift { get; init; }
        public double? Strength { get; init; }
        public double? StepCache { get; init; }
        public int? Feather { get; init; }
        public double? Draft { get; init; }
        public double? DraftStrength { get; init; }
        public string? GivenFrames { get; init; }
        public string? Model { get; init; }
        public string? ModelFingerprint { get; init; }
        public string? Precision { get; init; }
        public int? Threads { get; init; }
        public int? VaeTileSize { get; init; }
        public bool? FewSteps { get; init; }
        public Lora[]? Loras { get; init; }

        public sealed record Later(int FirstFrame, string Prompt, bool? Cut);

        public sealed record Lora(string Path, float Scale, LoraExpert Expert);

        public static Content Of(GenerationRecord record)
        {
            VideoRequest request = record.Request;
            return new Content
            {
                Sora = record.Version,
                Capability = record.Capability,
                Direction = record.Direction is { } direction ? ExtensionDirectionNames.NameOf(direction) : null,
                AddedFrames = record.AddedFrames,
                GapFrames = record.GapFrames,
                Prompt = request.OriginalPrompt ?? request.Prompt,
                EnhancedPrompt = request.OriginalPrompt is null ? null : request.Prompt,
                NegativePrompt = request.NegativePrompt,
                Seed = request.Seed,
                VariationSeed = request.VariationSeed,
                VariationStrength = request.VariationStrength,
                Width = request.Width,
                Height = request.Height,
                FrameCount = request.FrameCount,
                FramesPerSecond = request.FramesPerSecond,
                LaterPrompts = request.LaterPrompts.Count == 0 ? null : [.. request.LaterPrompts.Select(later => new Later(later.FirstFrame, later.Prompt, later.Cut ? true : null))],
                WindowFrames = request.WindowFrames,
                OverlapFrames = request.OverlapFrames,
                Loop = request.Loop ? true : null,
                Sampler = request.Sampler is { } sampler ? SamplerNames.NameOf(sampler) : null,
                Steps = request.Steps,
                GuidanceScale = request.GuidanceScale,
                LowNoiseGuidanceScale = request.LowNoiseGuidanceScale,
                GuidanceInterval = request.GuidanceInterval?.ToString(),
                GuidanceRescale = request.GuidanceRescale,
                Shift = request.Shift,
                Strength = request.Strength,
                StepCache = request.StepCache is > 0 ? request.StepCache : null,
                Feather = request.Feather,
                Draft = request.Draft,
                DraftStrength = request.DraftStrength,
                GivenFrames = record.GivenFrames,
                Model = record.Model,
                ModelFingerprint = record.ModelFingerprint,
                Precision = PrecisionNames.NameOf(record.Precision),
                Threads = record.Threads,
                VaeTileSize = record.VaeTileSize,
                FewSteps = record.FewSteps ? true : null,
                Loras = record.Loras.Count == 0 ? null : [.. record.Loras.Select(lora => new Lora(lora.Path, lora.Scale, lora.Expert))],
            };
        }

        // The reader lets a list hold null, whatever its elements are.
        private static IEnumerable<T> Elements<T>(IEnumerable<T?>? list, string name)
            where T : class =>
            (list ?? []).Select(element => element ?? throw new SoraException($"{name} holds null."));

        public GenerationRecord ToRecord() => new(new VideoRequest(EnhancedPrompt ?? Prompt)
        {
            OriginalPrompt = EnhancedPrompt is null ? null : Prompt,
            NegativePrompt = NegativePrompt,
            Seed = Seed,
            VariationSeed = VariationSeed,
            VariationStrength = VariationStrength,
            Width = Width,
            Height = Height,
            FrameCount = FrameCount,
            FramesPerSecond = FramesPerSecond,
            LaterPrompts = [.. Elements(LaterPrompts, "later_prompts").Select(later => new TimedPrompt(later.FirstFrame, later.Prompt) { Cut = later.Cut ?? false })],
            WindowFrames = WindowFrames,
            OverlapFrames = OverlapFrames,
            Loop = Loop ?? false,
            Sampler = Sampler is null ? null : SamplerNames.Parse(Sampler),
            Steps = Steps,
            GuidanceScale = GuidanceScale,
            LowNoiseGuidanceScale = LowNoiseGuidanceScale,
            GuidanceInterval = GuidanceInterval is null ? null : SigmaInterval.Parse(GuidanceInterval),
            GuidanceRescale = GuidanceRescale,
            Shift = Shift,
            Strength = Strength,
            StepCache = StepCache,
            Feather = Feather,
            Draft = Draft,
            DraftStrength = DraftStrength,
        })
        {
            Version = Sora,
            Capability = Capability,
            Direction = Direction is null ? null : ExtensionDirectionNames.Parse(Direction),
            AddedFrames = AddedFrames,
            GapFrames = GapFrames,
            GivenFrames = GivenFrames,
            Model = Model,
            ModelFingerprint = ModelFingerprint,
            Precision = Precision is null ? default : PrecisionNames.Parse(Precision),
            Threads = Threads,
            VaeTileSize = VaeTileSize,
            FewSteps = FewSteps ?? false,
            Loras = [.. Elements(Loras, "loras").Select(lora => new LoraFile(lora.Path, lora.Scale) { Expert = lora.Expert })],
        };
    }
}
