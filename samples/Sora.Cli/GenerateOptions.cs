using System.CommandLine;
using Sora.Weights;

namespace Sora.Cli;

/// <summary>What the commands that generate can be told, and how it reads as a request.</summary>
internal static class GenerateOptions
{
    public const string DefaultOutput = "video.mp4";

    public static readonly Argument<string?> Prompt = new("prompt")
    {
        Description = "What the video shows, in quotes",
        Arity = ArgumentArity.ZeroOrOne, // so that its absence is reported in this program's words
    };

    public static readonly Option<string?> Output = Setting.Text("--output", "FILE",
        $"File to write, replaced if it exists: .mp4, .m4v, .mov, .webm, .gif, .webp, of one frame .png or .jpg; without extension a folder of .png [default: {DefaultOutput}]", "-o");

    private static readonly Option<FrameSize?> Size = Setting.Of("--size", "WxH",
        "Width and height in pixels [default: in extend, connect and loop the given video's, else the model's]", FrameSize.Parse);

    public static readonly Option<int?> Frames = Setting.Number<int>("--frames", "N",
        "Number of frames [default: in edit and outpaint the given video's, else the model's or what the command says]");

    private static readonly Option<int?> FramesPerSecond = Setting.Number<int>("--fps", "F",
        "Frames a second, 1 to 240 [default: the model's]");

    private static readonly Option<int?> Steps = Setting.Number<int>("--steps", "N",
        "Denoising steps, 1 to 1000 [default: the model's]");

    private static readonly Option<float?> Guidance = Setting.Number<float>("--guidance", "G",
        "How strongly the prompt is followed, 0 to 100; 1 is fastest [default: the model's]");

    private static readonly Option<SigmaInterval?> GuidanceInterval = Setting.Of("--guidance-interval", "LOW:HIGH",
        "Noise levels at which guidance acts, within 0 (data) to 1 (noise); the steps at others take half the time [default: the model's]",
        SigmaInterval.Parse);

    private static readonly Option<float?> GuidanceRescale = Setting.Number<float>("--guidance-rescale", "X",
        "How far strong guidance is kept from overexposing, 0 to 1 [default: 0]");

    private static readonly Option<string?> Negative = Setting.Text("--negative", "TEXT",
        "What the video shall not show [default: the model's]");

    private static readonly Option<long?> Seed = Setting.Number<long>("--seed", "N",
        "Seed of the noise; the same seed gives the same video [default: random]");

    private static readonly Option<Sampler?> Sampler = Setting.Of("--sampler", string.Join('|', SamplerNames.All),
        "Solver that takes the steps; heun takes twice the time a step, lcm and euler-trailing are for models distilled to a few steps [default: the model's]",
        SamplerNames.Parse);

    private static readonly Option<float?> LowNoiseGuidance = Setting.Number<float>("--low-noise-guidance", "G",
        "Guidance of the expert for the less noisy steps, in models with two [default: --guidance, else the model's]");

    private static readonly Option<float?> Shift = Setting.Number<float>("--shift", "S",
        "How far the steps are moved towards noise, 0.01 to 100 [default: the model's]");

    public static readonly Option<string?> Model = Setting.Text("--model", "DIR",
        $"Model's folder of any layout, or a transformer's file [default: {DefaultModel.Variable}, else models/pocket]");

    private static readonly Option<string?> Device = Setting.Text("--device", "cpu|cuda[:i]",
        "Device that runs the model [default: cuda where there is one, else cpu]");

    private static readonly Option<Precision?> Precision = Setting.Of("--precision", string.Join('|', PrecisionNames.All),
        "Number format of weights and products; auto is bf16 where the device is fast at it [default: auto]", PrecisionNames.Parse);

    private static readonly Option<int?> Threads = Setting.Number<int>("--threads", "N",
        "Threads on the CPU [default: all cores]");

    private static readonly Option<string?> LayerStreaming = Setting.Text("--layer-streaming", "on|off",
        "Read the layers of text encoder and transformer from their files as they are used, two in memory [default: on for those that take more than 70 % of the memory]");

    private static readonly Option<double?> MemoryLimit = Setting.Number<double>("--memory-limit", "GB",
        "Memory that the generation may take, in 10^9 bytes; one that needs more is refused [default: what is available]");

    private static readonly Option<string?> RetryInFloat32 = Setting.Text("--retry-float32", "on|off",
        "Compute a stage again in float32 when its numbers leave the range of the precision, rather than end with an error [default: on]");

    private static readonly Option<string?> FewSteps = Setting.Text("--few-steps", "on|off",
        "Run the model with the LoRA that its folder brings for a few steps [default: on where it brings one, unless steps, sampler, shift, guidance, what guidance leads away from or a draft are given; off in edit and outpaint; with --like as the file was made]");

    private static readonly Option<LoraFile[]?> Loras = Setting.Many("--lora", "FILE[:SCALE]",
        "LoRA to apply, with the factor of its effect; may be given several times [default: none]", LoraFile.Parse);

    private static readonly Option<LoraFile[]?> HighNoiseLoras = Setting.Many("--lora-high", "FILE[:SCALE]",
        "The same for the expert of the first steps, in models with two [default: none]", text => LoraFile.Parse(text) with { Expert = LoraExpert.HighNoise });

    private static readonly Option<LoraFile[]?> LowNoiseLoras = Setting.Many("--lora-low", "FILE[:SCALE]",
        "The same for the expert of the last steps [default: none]", text => LoraFile.Parse(text) with { Expert = LoraExpert.LowNoise });

    private static readonly Option<double?> StepCache = Setting.Number<double>("--step-cache", "X",
        "Skip blocks of the transformer at steps where they change by less than this share: faster and slightly different; 0.05 to 0.2 [default: 0, none]");

    private static readonly Option<int?> VaeTile = Setting.Number<int>("--vae-tile", "N",
        "Decode and encode in tiles of at most N pixels a side, which takes less memory; 0: never [default: tiles where the picture does not fit]");

    public static readonly Option<int?> Count = Setting.Number<int>("--count", "N",
        "Number of videos, 1 to 1000, of one seed after the other: v.mp4 becomes v-1.mp4, v-2.mp4, ... [default: 1]");

    private static readonly Option<int?> Batch = Setting.Number<int>("--batch", "N",
        "Most videos of --count that run together, 1 to 1000 [default: as many as memory allows]");

    private static readonly Option<long?> Vary = Setting.Number<long>("--vary", "SEED",
        "Vary the video of --seed towards that of this seed; with --count, this seed goes on [default: none]");

    private static readonly Option<double?> VaryStrength = Setting.Number<double>("--vary-strength", "X",
        "How far, 0 (not at all) to 1 (the other seed's video) [default: 0.1]");

    public static readonly Option<string?> Like = Setting.Text("--like", "FILE",
        "Repeat what a file of Sora was made with; what else is given here changes it, and pictures and videos are given again [default: none]");

    private static readonly Option<int?> WindowFrames = Setting.Number<int>("--window-frames", "N",
        "Length of the windows in which a longer video is made [default: one window up to 65 frames, beyond that the model's length]");

    public static readonly Option<int?> OverlapFrames = Setting.Number<int>("--overlap-frames", "N",
        "Frames that a window takes over from the one before [default: 9]");

    public static readonly Option<bool> Quiet = new("--quiet") { Description = "Print errors only [default: off]" };

    public static readonly Option<bool> Estimate = new("--estimate") { Description = "Tell operations, memory and time, and generate nothing [default: off]" };

    public static readonly Option<string?> First = Setting.Text("--first", "FILE",
        "Picture that the video begins with, scaled and cut to its size [default: none]");

    public static readonly Option<string?> Last = Setting.Text("--last", "FILE",
        "Picture that the video ends with [default: none]");

    public static readonly Option<FrameAt[]?> Known = Setting.Many("--known", "FILE@INDEX",
        "Picture that the video shows at an index from 0; may be given several times [default: none]", FrameAt.Parse);

    public static IEnumerable<Option> KnownFrames => [First, Last, Known];

    /// <summary>How a model is run, whatever it shows.</summary>
    public static IReadOnlyList<Option> Solving { get; } = [Steps, Guidance, Sampler, Shift, FewSteps, Loras];

    /// <summary>How large a video is.</summary>
    public static IReadOnlyList<Option> Shape { get; } = [Size, Frames];

    /// <summary>How long videos are made.</summary>
    public static IEnumerable<Option> Windows => [WindowFrames, OverlapFrames];

    /// <summary>Adds the options that every such command has, and some of its own.</summary>
    public static void AddTo(Command command, ReadOnlySpan<Option> own)
    {
        command.Add(Output);
        foreach (Option option in own)
            command.Add(option);
        if (own.Contains(Count))
            command.Add(Batch);
        foreach (Option option in (Option[])[
            Size, Frames, FramesPerSecond, Steps, Guidance, LowNoiseGuidance, GuidanceInterval, GuidanceRescale, Negative, Seed, Vary, VaryStrength, Sampler, Shift,
            PromptRewriting.Enhance, Model, FewSteps, Loras, HighNoiseLoras, LowNoiseLoras, StepCache, VaeTile, Device, Precision, Threads, LayerStreaming, MemoryLimit,
            RetryInFloat32, PreviewChoice.Preview, PreviewChoice.NoPreview, Estimate, Quiet])
            command.Add(option);
    }

    /// <summary>What the line asks for in words and numbers.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="example">How the command is used, for a message.</param>
    /// <param name="like">What holds where the line says nothing.</param>
    /// <exception cref="SoraException">A value is missing or out of range.</exception>
    public static VideoRequest RequestOf(ParseResult line, string example, VideoRequest? like = null)
    {
        string prompt = line.GetValue(Prompt) ?? like?.Prompt
            ?? throw new SoraException($"The prompt is missing: {example}.");
        FrameSize? size = line.GetValue(Size);
        return new VideoRequest(prompt)
        {
            OriginalPrompt = line.GetValue(Prompt) is null ? like?.OriginalPrompt : null,
            NegativePrompt = line.GetValue(Negative) ?? like?.NegativePrompt,
            Width = size?.Width ?? like?.Width,
            Height = size?.Height ?? like?.Height,
            FrameCount = line.GetValue(Frames) ?? like?.FrameCount,
            FramesPerSecond = line.GetValue(FramesPerSecond) ?? like?.FramesPerSecond,
            Steps = line.GetValue(Steps) ?? like?.Steps,
            GuidanceScale = line.GetValue(Guidance) ?? like?.GuidanceScale,
            LowNoiseGuidanceScale = line.GetValue(LowNoiseGuidance) ?? like?.LowNoiseGuidanceScale,
            GuidanceInterval = line.GetValue(GuidanceInterval) ?? like?.GuidanceInterval,
            GuidanceRescale = line.GetValue(GuidanceRescale) ?? like?.GuidanceRescale,
            Shift = line.GetValue(Shift) ?? like?.Shift,
            Seed = line.GetValue(Seed) ?? like?.Seed,
            VariationSeed = line.GetValue(Vary) ?? like?.VariationSeed,
            VariationStrength = line.GetValue(VaryStrength) ?? like?.VariationStrength,
            Sampler = line.GetValue(Sampler) ?? like?.Sampler,
            Loop = like?.Loop ?? false,
            StepCache = line.GetValue(StepCache) ?? like?.StepCache,
            LaterPrompts = like?.LaterPrompts ?? [],
            WindowFrames = line.GetValue(WindowFrames) ?? like?.WindowFrames,
            OverlapFrames = line.GetValue(OverlapFrames) ?? like?.OverlapFrames,
        };
    }

    /// <summary>How the line has the model loaded.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="request">What it asks for, before the model fills in the rest.</param>
    /// <param name="like">The record of the file that is repeated.</param>
    /// <exception cref="SoraException">A value is out of range.</exception>
    public static VideoGeneratorOptions OptionsOf(ParseResult line, VideoRequest request, GenerationRecord? like = null)
    {
        LoraFile[] loras = [.. line.GetValue(Loras) ?? [], .. line.GetValue(HighNoiseLoras) ?? [], .. line.GetValue(LowNoiseLoras) ?? []];
        return new VideoGeneratorOptions
        {
            Device = line.GetValue(Device),
            Precision = line.GetValue(Precision) ?? like?.Precision ?? Sora.Precision.Auto,
            Threads = line.GetValue(Threads) ?? like?.Threads,
            VaeTileSize = line.GetValue(VaeTile) ?? like?.VaeTileSize,
            LayerStreaming = line.GetValue(LayerStreaming) is { } streaming ? OnOrOff("--layer-streaming", streaming) : null,
            RetryInFloat32 = line.GetValue(RetryInFloat32) is not { } retry || OnOrOff("--retry-float32", retry),
            MemoryLimit = line.GetValue(MemoryLimit) is { } gigabytes ? (long)Math.Min(Math.Max(gigabytes * 1e9, 0), long.MaxValue / 2) : null,
            BatchSize = line.GetValue(Batch),
            FewSteps = FewStepsOf(line, request, like),
            PreviewEvery = PreviewChoice.IsOn(line) ? PreviewChoice.Every : null,
            Loras = loras.Length > 0 || like is null ? [.. loras] : like.Loras,
        };
    }

    /// <summary>The files of <c>--lora</c>.</summary>
    public static IReadOnlyList<LoraFile> LorasOf(ParseResult line) => line.GetValue(Loras) ?? [];

    /// <summary>Whether the model's own few steps are taken; null: where it has them.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="request">What it asks for, before the model fills in the rest.</param>
    /// <param name="like">The record of the file that is repeated.</param>
    /// <exception cref="SoraException">Neither on nor off.</exception>
    public static bool? FewStepsOf(ParseResult line, VideoRequest request, GenerationRecord? like = null) =>
        line.GetValue(FewSteps) is { } asked ? OnOrOff("--few-steps", asked)
        : like is not null ? like.FewSteps
        // Who says how steps are taken means the model's own weights; what guidance needs has no effect without it; and what goes on from a video in
        // the middle, or beside its kept pixels, has too few steps to come to terms with it.
        : IsOfVideo(line) || request is not
        {
            Steps: null, Sampler: null, Shift: null, GuidanceScale: null, LowNoiseGuidanceScale: null, GuidanceInterval: null, GuidanceRescale: null, NegativePrompt: null,
            Draft: null,
        } ? false : null;

    /// <summary>What to tell somebody whose command line takes a model's few steps away without naming them; null: nothing.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="options">What was made of it.</param>
    /// <param name="model">The model's folder.</param>
    /// <exception cref="SoraException">The folder cannot be read any more.</exception>
    public static string? FewStepsNote(ParseResult line, VideoGeneratorOptions options, string model) =>
        options.FewSteps == false && line.GetResult(FewSteps) is null && line.GetResult(Like) is null && !IsOfVideo(line) && ModelFolder.Open(model).Defaults.FewSteps is { } few
            ? $"Made without the model's LoRA for few steps, {few.Lora}, since other settings are given; --few-steps on keeps it."
            : null;

    private static bool IsOfVideo(ParseResult line) => line.CommandResult.Command.Name is "edit" or "outpaint";

    private static bool OnOrOff(string option, string text) => text.ToLowerInvariant() switch
    {
        "on" => true,
        "off" => false,
        _ => throw new SoraException($"{option} '{text}' is unknown; known: on, off."),
    };
}
