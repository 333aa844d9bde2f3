using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sora.Conditioning;
using Sora.Weights;

namespace Sora.Cli;

/// <summary><c>sora info</c>: what a model's folder or file holds and what is missing, or a LoRA.</summary>
internal static class InfoCommand
{
    private static readonly JsonSerializerOptions Readable =
        new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Argument<string?> s_path = new("PATH") { Description = "A model's folder, a transformer's file, a LoRA, or a video that Sora made [default: the pocket model]", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Option<FrameSize?> s_size = Setting.Of("--size", "WxH", "The video whose memory is told [default: the model's]", FrameSize.Parse);

    private static readonly Option<int?> s_frames = Setting.Number<int>("--frames", "N", "Its number of frames [default: the model's]");

    private static readonly Option<bool> s_json = new("--json") { Description = "Write JSON [default: off]" };

    public static Command Create()
    {
        var command = new Command("info", "Tells what a model's files hold: networks, number formats, sizes, memory, and what is missing.") { s_path, s_size, s_frames, s_json };
        command.SetAction((line, cancellationToken) => Task.FromResult(
            line.GetValue(s_path) is { } path && GenerationRecord.IsMedia(path) ? RecordText.Write(path, line.GetValue(s_json), cancellationToken) : Run(line)));
        return command;
    }

    private static int Run(ParseResult line)
    {
        if (line.GetValue(s_path) is { } file && LoraAdapter.IsLora(file))
            return WriteLora(file, line.GetValue(s_json));
        ModelInspection found = ModelInspection.Of(line.GetValue(s_path) ?? DefaultModel.Find());
        FrameSize? size = line.GetValue(s_size);
        var request = new VideoRequest("a video") { Width = size?.Width, Height = size?.Height, FrameCount = line.GetValue(s_frames) };
        if (line.GetValue(s_json))
            Console.WriteLine(JsonSerializer.Serialize(AsObject(found, request), Readable));
        else
            WriteText(found, request);
        return ExitCode.Done;
    }

    private static int WriteLora(string path, bool json)
    {
        using var lora = LoraAdapter.Load(path);
        LoraDescription description = lora.Describe();
        Console.WriteLine(json ? JsonSerializer.Serialize(new { Path = path, Lora = description, Changes = lora.Parameters.Order(StringComparer.Ordinal) }, Readable)
            : $"{path}: {description}");
        return ExitCode.Done;
    }

    private static void WriteText(ModelInspection found, VideoRequest request)
    {
        string kind = found.Published?.Title ?? "a model of no published size";
        string layout = found.Model?.Layout switch
        {
            ModelLayout.Diffusers => ", a folder in the layout of diffusers",
            ModelLayout.Files => ", files recognised by their tensors",
            _ => "",
        };
        Console.WriteLine($"{found.Path}: {kind}{layout}");
        foreach (NetworkInspection network in found.Networks)
            Console.WriteLine(Invariant($"  {network.Part,-14} {network.Parameters,14:N0} parameters, {Formats(network)}, {Bytes(network.FileBytes)}, {network.Names} names: {network.Path}"));
        if (found.Model is { } model)
            WriteModel(found, model, request);
        if (found.Problem is { } problem)
            Console.WriteLine($"Cannot be used: {problem}");
    }

    private static void WriteModel(ModelInspection found, ModelFolder model, VideoRequest request)
    {
        ModelLimits limits = model.LimitsOf(null);
        Console.WriteLine($"  {"tokenizer",-14} {model.SentencePiecePath}");
        Console.WriteLine(Invariant($"Made for {limits.Width}x{limits.Height}, {limits.FrameCount} frames at {limits.FramesPerSecond} a second: {Solving(limits)}"));
        if (model.Defaults.FewSteps is { } few)
            Console.WriteLine($"These few steps are by {few.Lora}; without it: {Solving(model.Limits)}");
        Console.WriteLine($"Takes widths and heights that are multiples of {limits.SpatialStride}, and {limits.TemporalStride}n + 1 frames; known frames: {limits.KnownFrames}");
        IReadOnlyList<StageMemory> memory = found.MemoryNeeded(request);
        VideoRequest video = SizeOf(found, request);
        Console.WriteLine(Invariant($"Memory for {video.Width}x{video.Height}, {video.FrameCount} frames in bfloat16, about: {Bytes(memory.Max(stage => stage.Total))} with one network at a time ({string.Join(", ", memory.Select(stage => $"{StageName.Of(stage.Stage).ToLowerInvariant()} {Bytes(stage.Total)}"))})"));
        if (model.UnknownFields is { Count: > 0 } unknown)
            Console.WriteLine($"Fields that Sora does not know: {string.Join(", ", unknown)}");
    }

    private static string Solving(ModelLimits limits) =>
        Invariant($"{limits.Steps} steps, guidance {limits.GuidanceScale}, shift {limits.ShiftOf(limits.Width, limits.Height, limits.FrameCount)}, {SamplerNames.NameOf(limits.Sampler)}");

    private static object AsObject(ModelInspection found, VideoRequest request) => new
    {
        found.Path,
        Model = found.Published?.Name,
        Layout = found.Model?.Layout.ToString(),
        Complete = found.Problem is null,
        found.Problem,
        Networks = found.Networks.Select(network => new
        {
            network.Part,
            Kind = network.Kind.ToString(),
            network.Path,
            network.Names,
            network.Parameters,
            Formats = network.Formats.ToDictionary(),
            network.FileBytes,
        }),
        Tokenizer = found.Model?.SentencePiecePath,
        Defaults = found.Model?.LimitsOf(null),
        FewSteps = found.Model?.Defaults.FewSteps is { } few ? new { few.Lora, WithoutIt = found.Model.Limits } : null,
        Memory = found.Model is null ? null : MemoryObject(found, request),
        UnknownFields = found.Model?.UnknownFields,
    };

    private static object MemoryObject(ModelInspection found, VideoRequest request)
    {
        VideoRequest video = SizeOf(found, request);
        return new { video.Width, video.Height, video.FrameCount, Stages = found.MemoryNeeded(request).Select(stage => new { Stage = stage.Stage.ToString(), stage.Weights, stage.Activations }) };
    }

    // The size with what the request leaves open.
    private static VideoRequest SizeOf(ModelInspection found, VideoRequest request) =>
        request.Resolve(found.Model!.LimitsOf(null) with { KnownFrames = KnownFrameRule.Any });

    private static string Formats(NetworkInspection network) => network.Formats switch
    {
        [] => "not readable",
        [var only] => only.Key,
        var several => string.Join(" + ", several.Select(format => Invariant($"{format.Key} {100.0 * format.Value / Math.Max(network.Parameters, 1):0.#} %"))),
    };

    private static string Bytes(long bytes) => bytes >= 100_000_000 ? Invariant($"{bytes / 1e9:0.0} GB") : Invariant($"{bytes / 1e6:0.0} MB");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
