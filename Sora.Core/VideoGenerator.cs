using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sora.Conditioning;
using Sora.Continuation;
using Sora.Drafts;
using Sora.Estimation;
using Sora.Frames;
using Sora.Latents;
using Sora.Layers;
using Sora.Patches;
using Sora.Regions;
using Sora.Sampling;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora;

/// <summary>Generates videos from text with a model folder. One generation runs at a time; further ones wait.</summary>
public sealed class VideoGenerator : IDisposable
{
    private readonly ModelComponents _model;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _disposing = new();

    private readonly Lazy<double> _rate;

    private VideoGenerator(ModelComponents model) =>
        (_model, _rate) = (model, new(() => MatrixRate.Measure(model.ComputeType, model.Device)));

    /// <summary>The sizes that the model can make, and what it makes by default.</summary>
    public ModelLimits Limits => _model.Folder.Limits;

    /// <summary>Reads what a model can make from its configs, without loading weights.</summary>
    /// <exception cref="SoraException">The folder is missing or damaged.</exception>
    public static ModelLimits ReadLimits(string modelFolder) => ModelFolder.Open(modelFolder).Limits;

    /// <summary>
    /// Loads a model folder in the diffusers layout. A large model is opened and checked only, and its parts are loaded when a
    /// generation needs them: see <see cref="VideoGeneratorOptions.KeepComponents"/>.
    /// </summary>
    /// <param name="modelFolder">The folder with <c>model_index.json</c>.</param>
    /// <param name="options">Device, precision and threads; null: the defaults.</param>
    /// <param name="progress">Told the components as they load.</param>
    /// <param name="cancellationToken">Honoured between components.</param>
    /// <exception cref="SoraException">The folder, a file or the device cannot be used; the message says why.</exception>
    public static Task<VideoGenerator> LoadAsync(string modelFolder, VideoGeneratorOptions? options = null, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Task.Run(() => new VideoGenerator(ModelComponents.Load(modelFolder, options ?? new(), progress, cancellationToken)), cancellationToken);

    /// <summary>
    /// Tells what a request would take: operations, memory by stage, and time after one small measurement of the device, which the
    /// first call makes. Loads no weights.
    /// </summary>
    /// <param name="request">What would be generated.</param>
    /// <exception cref="SoraException">The model cannot make what is asked for; a lack of memory is told and not thrown.</exception>
    /// <exception cref="ObjectDisposedException">The generator is disposed.</exception>
    public GenerationEstimate Estimate(VideoRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, this);
        VideoRequest resolved = request.Resolve(Limits);
        SamplingStep[] steps = StepsOf(resolved);
        VideoRequest largest = LargestWindow(resolved);
        VideoRequest[] windows = !resolved.IsInWindows ? [resolved]
            : [.. WindowPlan.Of(resolved, Limits).Select(window => window.RequestOf(resolved, Limits.TemporalStride, null))];
        var costs = windows.GroupBy(window => window.FrameCount).Select(same => (Count: same.Count(), Cost: _model.Cost.Operations(same.First(), steps, GuidanceOf(resolved)))).ToArray();
        // Each prompt once, and under guidance the negative prompt.
        int branches = Branches(resolved), prompts = windows.Select(window => window.Prompt).Distinct().Count(), evaluations = steps.Length * windows.Length;
        double text = costs[0].Cost.Text / branches * (prompts + branches - 1), transformer = costs.Sum(same => same.Count * same.Cost.Transformer);
        // Latent frames that a window takes over are not decoded again.
        double decoder = _model.Cost.Operations(resolved, [], GuidanceOf(resolved)).Decoder;
        if (resolved.Draft is not null)
        {
            VideoRequest draft = DraftedRequest.DraftOf(resolved, Limits);
            SamplingStep[] own = StepsOf(draft);
            (double Text, double Transformer, double Decoder) first = _model.Cost.Operations(draft, own, GuidanceOf(draft));
            (text, transformer, decoder, evaluations) = (text + first.Text, transformer + first.Transformer, decoder + first.Decoder, evaluations + own.Length);
        }
        IReadOnlyList<StageMemory> memory = _model.Cost.Memory(largest, branches);
        return new()
        {
            Request = resolved,
            Windows = windows.Length,
            Tokens = _model.Cost.Tokens(largest),
            Evaluations = evaluations,
            TextEncoderOperations = text,
            TransformerOperations = transformer,
            DecoderOperations = decoder,
            Memory = memory,
            PeakMemory = _model.Cost.Peak(memory),
            AvailableMemory = _model.MemoryForGeneration,
            OperationsPerSecond = _rate.Value,
        };
    }

    /// <summary>Generates a video.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="progress">Told each step.</param>
    /// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
    /// <exception cref="SoraException">The model cannot make what is asked for, or there is not the memory for it.</exception>
    public async Task<GeneratedVideo> GenerateAsync(VideoRequest request, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        VideoRequest resolved = request.Resolve(Limits);
        var clock = new StageClock(progress);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            List<VideoFrame> frames = await Task.Run(() => Generate(resolved, clock, stop.Token).ToList(), stop.Token).ConfigureAwait(false);
            GenerationRecord record = RecordOf(resolved, clock);
            return new(resolved, frames, clock.Timings, clock.Notes, record);
        }
        finally
        {
            EndTurn();
        }
    }

    /// <summary>Generates a video and gives its frames as they are decoded.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="progress">Told each step, and what would be the <see cref="GeneratedVideo.Notes"/> of the video (<see cref="GenerationProgress.Note"/>).</param>
    /// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
    /// <exception cref="SoraException">The model cannot make what is asked for.</exception>
    public async IAsyncEnumerable<VideoFrame> StreamAsync(VideoRequest request, IProgress<GenerationProgress>? progress = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        VideoRequest resolved = request.Resolve(Limits);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        // A few frames ahead of the reader, no more: memory does not grow with the video.
        var frames = Channel.CreateBounded<VideoFrame>(8);
        await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        Task producer = Task.Run(() => Produce(resolved, progress, frames.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (VideoFrame frame in frames.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return frame;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await producer.ConfigureAwait(false);
        }
    }

    /// <summary>What it takes to make a request's video again with this generator, for the tags of a file.</summary>
    /// <param name="request">The request; its seed must be set for the record to be of use.</param>
    /// <exception cref="SoraException">A file of the model cannot be read any more.</exception>
    public GenerationRecord RecordOf(VideoRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return RecordOf(request, _model.Fingerprint);
    }

    // A video that is finished is not lost because its model's files have gone since.
    private GenerationRecord RecordOf(VideoRequest request, StageClock clock)
    {
        try
        {
            return RecordOf(request);
        }
        catch (SoraException e)
        {
            clock.Note($"The record of this video does not tell its model's hash. {e.Message}");
            return RecordOf(request, fingerprint: null);
        }
    }

    private GenerationRecord RecordOf(VideoRequest request, string? fingerprint) =>
        new(request)
        {
            Model = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(_model.Folder.Path))),
            ModelFingerprint = fingerprint,
            Precision = _model.Precision,
            Threads = _model.Threads,
            Loras = _model.Loras,
            GivenFrames = GenerationRecord.HashOf(request),
        };

    /// <summary>
    /// Replaces the active LoRAs. The weights are those of the model's files with these LoRAs added, whatever was active
    /// before; an empty list gives the model as it was, bit for bit. Waits for a generation that runs.
    /// </summary>
    /// <param name="loras">The LoRAs and their scales.</param>
    /// <param name="cancellationToken">Honoured while waiting.</param>
    /// <exception cref="SoraException">
    /// A file is missing, damaged or for another model; what was active before stays active.
    /// </exception>
    public async Task SetLorasAsync(IReadOnlyList<LoraFile> loras, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(loras);
        await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Run(() => _model.SetLoras(loras), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            EndTurn();
        }
    }

    /// <summary>
    /// Cancels the generation that runs, waits for its end, which is within one step or one decoded chunk, and frees the
    /// model. Not to be called from a progress report.
    /// </summary>
    public void Dispose()
    {
        _disposing.Cancel();
        _turn.Wait();
        _model.Dispose();
        _turn.Release();
    }

    /// <exception cref="ObjectDisposedException">The generator is disposed.</exception>
    private async Task TakeTurnAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!_disposing.IsCancellationRequested)
            return;
        _turn.Release();
        throw new ObjectDisposedException(nameof(VideoGenerator));
    }

    // Memory that the turn no longer needs goes back first; what an allocator keeps grows by chance from one to the next.
    private void EndTurn()
    {
        EngineMemory.ReleaseUnused();
        _turn.Release();
    }

    // A video of one window, or of several. Dispose scopes belong to a thread, so it runs on one.
    private IEnumerable<VideoFrame> Generate(VideoRequest request, StageClock clock, CancellationToken cancellationToken)
    {
        set_num_threads(_model.Threads);
        if (_model.MemoryForGeneration is { } available)
            _model.Cost.RequireFits(LargestWindow(request), Branches(request), available);
        foreach (string note in (string[])[.. _model.TakeNotes(), .. _model.LoraNotes])
            clock.Note(note);
        return request.IsInWindows ? GenerateWindows(request, clock, cancellationToken)
            : request.Loop ? LoopStart.AtLeastMotion(GenerateOne(request, clock, null, cancellationToken))
            : GenerateOne(request, clock, null, cancellationToken);
    }

    // Window after window, each going on from the one before.
    private IEnumerable<VideoFrame> GenerateWindows(VideoRequest request, StageClock clock, CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        int count = WindowPlan.Of(request, Limits).Count(), index = 0;
        using var link = new WindowLink(request.FrameCount!.Value, Math.Max(1, WindowPlan.Of(request, Limits).Max(window => window.Known)), Limits.TemporalStride);
        clock.Begin(GenerationStage.EncodingText);
        using (DisposeScope scope = NewDisposeScope())
        {
            string[] prompts = [.. request.LaterPrompts.Select(later => later.Prompt).Prepend(request.Prompt).Distinct()];
            link.Keep(prompts, EncodeTexts(request, prompts, clock, new OverflowRetry(_model.RetriesInFloat32, clock)));
        }
        foreach (VideoWindow window in WindowPlan.Of(request, Limits))
        {
            clock.BeginWindow(index++, count);
            link.Begin(window);
            foreach (VideoFrame frame in GenerateOne(window.RequestOf(request, Limits.TemporalStride, link.Tail), clock, link, cancellationToken))
            {
                if (frame.Index >= window.EndFrame)
                    continue;
                link.Keep(frame);
                yield return frame;
            }
        }
    }

    // The path of a video: text, given frames, noise, velocity, latent, frames.
    private IEnumerable<VideoFrame> GenerateOne(VideoRequest request, StageClock clock, WindowLink? link, CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        if (request.Draft is not null)
            request = DraftedRequest.RefinementOf(request, [.. GenerateOne(DraftedRequest.DraftOf(request, Limits), clock, null, cancellationToken)]);
        var retry = new OverflowRetry(_model.RetriesInFloat32, clock);
        if (link is null)
            clock.Begin(GenerationStage.EncodingText);
        (IReadOnlyList<Tensor> texts, Tensor negative) = link?.Texts ?? EncodeTexts(request, [request.Prompt], clock, retry); // 1 L D each
        cancellationToken.ThrowIfCancellationRequested();

        Tensor noise = NoiseOf(request);                                                  // 1 C t h w
        using IConditioning conditioning = EncodeFrames(request, noise, clock, retry, link, out Tensor? source); // 1 C t h w, or null
        cancellationToken.ThrowIfCancellationRequested();

        using ISolver solver = SolverOf(request);
        int start = SourceNoise.FirstStep(solver.Schedule, request.Strength ?? 1), evaluations = solver.Evaluations(start);
        Tensor sample = source is null ? noise : SourceNoise.Add(source, noise, solver.Schedule, start);
        EngineMemory.ReleaseUnused(); // What a stage leaves with the allocator is not the next one's.
        clock.Begin(GenerationStage.Denoising, evaluations);
        using (ExpertVelocity velocity = VelocityOf(request, clock, retry, texts[0], negative, conditioning, noise))
            sample = FlowSampler.Sample(request.Loop ? CircularTime.Around(velocity.Predict) : velocity.Predict, sample, solver, done => clock.Report(done, evaluations), start, cancellationToken);
        Tensor latent = Finite.Require(conditioning.Finish(sample), "The transformer");   // 1 C t h w
        link?.Keep(latent);
        cancellationToken.ThrowIfCancellationRequested();

        int frameCount = link?.FrameCount ?? request.FrameCount!.Value - (request.Loop ? 1 : 0), decoded = link?.Window.FirstFrame ?? 0;
        EngineMemory.ReleaseUnused();
        clock.Begin(GenerationStage.Decoding, frameCount, decoded);
        MaskComposite? composite = MaskComposite.Of(request);
        Tensor restored = _model.Normalizer.Restore(latent);
        IEnumerable<Tensor> Decode(VideoAutoencoder vae) => request.Loop ? CircularTime.DecodeChunks(vae, restored)
            : link is not null ? link.DecodeChunks(vae, restored)
            : vae.DecodeChunks(restored);
        foreach (Tensor chunk in retry.Chunks(_model.Vae, "The video decoder", Decode))    // 1 3 ≤4 H W
        {
            using (chunk)
            {
                foreach (VideoFrame frame in FrameTensors.ToFrames(chunk, decoded, request.FramesPerSecond!.Value))
                    yield return composite?.Apply(frame) ?? frame;
                decoded += (int)chunk.size(2);
            }
            clock.Report(Math.Min(decoded, frameCount), frameCount);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    // The vectors of prompts and of the negative prompt, which without guidance is not read.
    private (IReadOnlyList<Tensor> Texts, Tensor Negative) EncodeTexts(VideoRequest request, IReadOnlyList<string> texts, StageClock clock, OverflowRetry retry) =>
        retry.Run<UMT5Encoder, (IReadOnlyList<Tensor>, Tensor)>(_model.TextEncoder, encoder =>
        {
            var prompts = new PromptEncoder(_model.Tokenizer, encoder, _model.Folder.Defaults.MaxSequenceLength, _model.Device);
            Tensor Encode(string prompt, Action<TokenizedPrompt>? cut) => Finite.Require(prompts.Encode(prompt, cut), "The text encoder");
            Tensor[] vectors = [.. texts.Select(text => Encode(text, tokens => clock.Note(CutNote.Of(tokens))))];
            return (vectors, GuidanceOf(request).Any(guidance => guidance.IsOn) ? Encode(request.NegativePrompt!, null) : vectors[0]);
        });

    private VideoRequest LargestWindow(VideoRequest request) => !request.IsInWindows ? request
        : WindowPlan.Of(request, Limits).MaxBy(window => (window.Latents, window.BeginsWithPicture))!.RequestOf(request, Limits.TemporalStride, null);

    private Tensor NoiseOf(VideoRequest request)
    {
        LatentShape shape = LatentShape.Of(request, _model.Folder.Vae);
        return request.Noise is { } given
            ? tensor(given.ToArray(), [1, shape.C, shape.T, shape.H, shape.W]).to(_model.Device)
            : RequestNoise.Create(request, shape, _model.Device);
    }

    private ISolver SolverOf(VideoRequest request)
    {
        LatentShape shape = LatentShape.Of(request, _model.Folder.Vae);
        return Solvers.Create(
            request.Sampler!.Value, request.Steps!.Value, request.Shift!.Value, _model.Folder.Scheduler,
            noise: step => RequestNoise.OfStep(step, request, shape, _model.Device));
    }

    // The steps at which the velocity is evaluated; a solver may do it several times a step.
    private SamplingStep[] StepsOf(VideoRequest request)
    {
        using ISolver solver = SolverOf(request);
        int steps = solver.Schedule.Steps, start = SourceNoise.FirstStep(solver.Schedule, request.DraftStrength ?? request.Strength ?? 1);
        return [.. Enumerable.Range(start, steps - start)
            .SelectMany(i => Enumerable.Repeat(solver.Schedule.At(i), solver.Evaluations(i) - (i + 1 < steps ? solver.Evaluations(i + 1) : 0)))];
    }

    // How known frames take part, and the source's latent.
    private IConditioning EncodeFrames(VideoRequest request, Tensor noise, StageClock clock, OverflowRetry retry, WindowLink? link, out Tensor? source)
    {
        source = null;
        if (request.KnownFrames.Count == 0 && request.Source is null && link is not { CarriedCount: > 0 })
            return new NoConditioning();
        clock.Begin(GenerationStage.EncodingFrames);
        Tensor? images = _model.ImageEncoder is null ? null : EncodeImages(_model.ImageEncoder, retry, request.KnownFrames); // images L D
        (IConditioning conditioning, source) = retry.Run(_model.Vae, vae =>
        {
            var encoder = new FrameEncoder(vae, _model.Normalizer, _model.Device);
            Tensor? latent = request.Source is { } video ? encoder.Encode(video, request.Width!.Value, request.Height!.Value) : null;
            KnownRegion? kept = request.Mask is { } mask ? new(latent!, KeptCells.Of(mask, LatentShape.Of(request, _model.Folder.Vae), _model.Folder.TemporalStride)) : null;
            return (Conditionings.Create(_model.Folder, request.KnownFrames, noise, encoder, images, kept, link is { CarriedCount: > 0 } ? link.Carried() : null, link?.CarriedAt ?? 0), latent);
        });
        return conditioning;
    }

    // What the image encoder makes of known frames, the first in time first.
    private Tensor EncodeImages(ModelPart<ClipVisionEncoder> part, OverflowRetry retry, IEnumerable<KnownFrame> known)
    {
        using DisposeScope scope = NewDisposeScope();
        VideoFrame[] frames = [.. known.OrderBy(frame => frame.Index).Select(frame => frame.Frame)];
        Tensor pixels = new ClipImageProcessor(_model.Folder.ImageProcessor!).Process(frames, _model.Device);
        return scope.MoveToOuter(retry.Run(part, encoder => Finite.Require(encoder.Encode(pixels), "The image encoder")));
    }

    private ExpertVelocity VelocityOf(VideoRequest request, StageClock clock, OverflowRetry retry, Tensor text, Tensor negative, IConditioning conditioning, Tensor noise) =>
        new(_model.Experts, clock, retry, (network, expert) => new(
            network, GuidanceOf(request)[expert], text, negative, Patchify.GridOf(noise, network.Config.PatchSize), _model.Device, conditioning,
            _model.Folder.Scheduler.Prediction));

    // One for each expert.
    private static Guidance[] GuidanceOf(VideoRequest request)
    {
        var first = new Guidance(request.GuidanceScale!.Value, request.GuidanceInterval, request.GuidanceRescale!.Value);
        return request.LowNoiseGuidanceScale is { } second ? [first, first with { Scale = second }] : [first];
    }

    internal static int Branches(VideoRequest request) => GuidanceOf(request).Any(guidance => guidance.IsOn) ? 2 : 1;

    private void Produce(VideoRequest request, IProgress<GenerationProgress>? progress, ChannelWriter<VideoFrame> frames, CancellationToken cancellationToken)
    {
        try
        {
            foreach (VideoFrame frame in Generate(request, new StageClock(progress), cancellationToken))
                frames.WriteAsync(frame, cancellationToken).AsTask().GetAwaiter().GetResult();
            frames.Complete();
        }
        catch (Exception e)
        {
            // The reader of the channel gets the exception.
            frames.Complete(e);
        }
        finally
        {
            // Here and not where the frames are read: nobody may be reading any more.
            EndTurn();
        }
    }
}
