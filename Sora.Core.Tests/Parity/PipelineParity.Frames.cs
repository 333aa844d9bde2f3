using Sora.Conditioning;
using Sora.Frames;
using Sora.Sampling;
using Sora.Tests.Weights;
using Sora.Weights;

namespace Sora.Tests.Parity;

// What the pipelines do with given frames.
internal sealed partial class PipelineParity
{
    private int FrameCount => (int)_reference.Get("frames").size(1);

    private IReadOnlyList<KnownFrame> Known =>
    [
        .. _reference.Has("image_u8") ? [new KnownFrame(0, FrameOf("image_u8", 0))] : (KnownFrame[])[],
        .. _reference.Has("last_image_u8") ? [new KnownFrame(FrameCount - 1, FrameOf("last_image_u8", 0))] : (KnownFrame[])[],
    ];

    private IReadOnlyList<VideoFrame>? Source =>
        _reference.Has("video_u8") ? [.. Enumerable.Range(0, FrameCount).Select(i => FrameOf("video_u8", i))] : null;

    private FrameEncoder Encoder => new(_vae, _normalizer, CPU);

    private VideoFrame FrameOf(string name, int index)
    {
        Tensor pixels = _reference.Get(name);
        pixels = pixels.ndim == 4 ? pixels.select(0, index).contiguous() : pixels;
        return new(index, (int)pixels.size(1), (int)pixels.size(0), pixels.bytes.ToArray(), TimeSpan.Zero);
    }

    private void CheckEncodedFrames()
    {
        if (Known.Count == 0 && Source is null)
            return;
        double tolerance = _reference.Tolerance("condition");
        if (SourceLatent() is { } source)
        {
            _reference.Close("init_latents", source, tolerance);
            _reference.Close("vae_encode_mean", _normalizer.Restore(source), tolerance);
            return;
        }
        using IConditioning conditioning = OwnConditioning();
        using ISolver solver = Solver("");
        Tensor input = conditioning.Input(FirstSample(""), StepAt(solver, Start));
        _reference.Close("model_input_first_call", input, tolerance);
        Tensor condition = _reference.Get("condition");
        if (_reference.Has("first_frame_mask"))
        {
            _reference.Close("condition", input.narrow(2, 0, condition.size(2)), tolerance);
            return;
        }
        long channels = condition.size(1), latent = _model.Vae.ZDim;
        _reference.Close("condition", input.narrow(1, latent, channels), tolerance);
        _reference.Close("vae_encode_mean", _normalizer.Restore(input.narrow(1, input.size(1) - latent, latent)), tolerance);
        if (_reference.Has("image_embeds"))
            _reference.Close("image_embeds", conditioning.ImageVectors!, _reference.Tolerance("image_embeds"));
    }

    private IConditioning OwnConditioning() =>
        Conditionings.Create(_model, [.. Known], _reference.Get("noise"), Encoder, _model.ImageEncoder is null ? null : EncodeImages(Known));

    private IConditioning ReferenceConditioning()
    {
        if (!_reference.Has("condition"))
            return new NoConditioning();
        Tensor condition = _reference.Get("condition");
        if (!_reference.Has("first_frame_mask"))
            return new ChannelConditioning(condition, _reference.Has("image_embeds") ? _reference.Get("image_embeds") : null);
        bool[] known = [.. _reference.Get("first_frame_mask").select(4, 0).select(3, 0).reshape(-1).data<float>().ToArray().Select(m => m == 0)];
        return new TimeConditioning(new(condition.repeat(1, 1, known.Length / condition.size(2), 1, 1), known));
    }

    private Tensor? SourceLatent() =>
        Source is { } frames ? Encoder.Encode(frames, frames[0].Width, frames[0].Height) : null;

    private Tensor EncodeImages(IReadOnlyList<KnownFrame> known)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor pixels = new ClipImageProcessor(_model.ImageProcessor!).Process([.. known.Select(frame => frame.Frame)], CPU);
        _reference.Close("clip_pixel_values", pixels, 1e-5);
        using var encoder = new ClipVisionEncoder(_model.ImageEncoder!, new CheckpointParameters(_model.ImageEncoderPath!, float32, CPU));
        return scope.MoveToOuter(encoder.Encode(pixels));
    }

    private Tensor FirstSample(string run) => _reference.Get(_reference.Has($"{run}initial_latents") ? $"{run}initial_latents" : "noise");

    // The generator on a folder that differs in its text length alone.
    private void CheckPublic()
    {
        using var folder = new TemporaryFolder();
        foreach (string part in Directory.EnumerateFileSystemEntries(_model.Path))
            File.CreateSymbolicLink(folder.File(Path.GetFileName(part)), Path.GetFullPath(part));
        (_model.Defaults with { MaxSequenceLength = (int)Number("max_sequence_length")!.Value }).Save(folder.File(RequestDefaults.FileName));
        Tensor expected = _reference.Get("frames");                                       // 1 T H W 3
        var request = new VideoRequest(Text("prompt"))
        {
            NegativePrompt = Text("negative_prompt"),
            Width = (int)expected.size(3),
            Height = (int)expected.size(2),
            FrameCount = FrameCount,
            Steps = _steps,
            GuidanceScale = (float)_guidance[0].Scale,
            LowNoiseGuidanceScale = _experts.Count == 2 ? (float)_guidance[1].Scale : null,
            Shift = (float)_model.Scheduler.Shift,
            Noise = _reference.Numbers("noise"),
            KnownFrames = [.. Known],
            Source = Source is { } source ? [.. source] : null,
            Strength = _strength,
        };
        var options = new VideoGeneratorOptions { Device = "cpu", Precision = Precision.Full, Threads = 1, KeepComponents = false };
        using VideoGenerator generator = VideoGenerator.LoadAsync(folder.Path, options).GetAwaiter().GetResult();
        using GeneratedVideo video = generator.GenerateAsync(request).GetAwaiter().GetResult();
        byte[] bytes = [.. video.Frames.SelectMany(frame => frame.Rgb.ToArray())];
        Tensor actual = tensor(bytes, expected.shape).to(float32) / 255;
        _reference.Close("frames through the public API", expected, actual, _reference.Tolerance("frames") + (0.5 / 255));
    }
}
