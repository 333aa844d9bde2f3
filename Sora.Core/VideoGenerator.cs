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
using Sora.Previews;
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
        long? available = _model.MemoryForGeneration;
        IReadOnlyList<StageMemory> memory = _model.Cost.Memory(largest, branches, available);
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
            AvailableMemory = available,
            VaeTiles = _model.Cost.Tiles(largest, available).Count,
            OperationsPerSecond = _rate.Value,
        };
    }

    /// <summary>Generates a video.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="progress">Told each step.</param>
    /// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
    /// <exception cref="SoraException">The model cannot make what is asked for, or there is not the memory for it.</exception>
    [OverloadResolutionPriority(1)] // so that GenerateAsync(new("a fish")) stays one request
    public async Task<GeneratedVideo> GenerateAsync(VideoRequest request, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        (await GenerateAsync([request], progress, cancellationToken).ConfigureAwait(false))[0];

    /// <summary>
    /// Generates several videos, in packed batches: in a step, the patches of all videos of a batch and of both branches of their
    /// guidance run through the transformer at once. Sizes, lengths, prompts, seeds, guidance and given frames may differ within a
    /// batch; requests with another sampler, number of steps, shift or step cache, and those that do not fit into memory or under
    /// <see cref="VideoGeneratorOptions.BatchSize"/> together, run in batches of their own, one after the other
    /// (<see cref="Batches"/> tells them).
    /// </summary>
    /// <remarks>
    /// A video is the one that its request gives alone: its noise is a function of its seed, and no number of it depends on another
    /// video but for the rounding of matrix products, whose sums run in another order where there are more rows. In float32 the
    /// latents differ by about 1e-5, and single pixels by one level of 255.
    /// </remarks>
    /// <param name="requests">What to generate; may be empty.</param>
    /// <param name="progress">Told each step of each batch.</param>
    /// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
    /// <returns>The videos in the order of the requests. The timings of each are those of its whole batch.</returns>
    /// <exception cref="SoraException">
    /// The model cannot make one of the requests, or there is not the memory for it; nothing is generated then.
    /// </exception>
    public async Task<IReadOnlyList<GeneratedVideo>> GenerateAsync(IReadOnlyList<VideoRequest> requests, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        VideoRequest[] resolved = Resolve(requests);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var videos = new GeneratedVideo[resolved.Length];
            IReadOnlyList<IReadOnlyList<int>> batches = await Task.Run(() => Plan(resolved), stop.Token).ConfigureAwait(false);
            foreach (IReadOnlyList<int> places in batches)
            {
                VideoRequest[] batch = [.. places.Select(place => resolved[place])];
                var clock = new StageClock(progress);
                (ILookup<int, VideoFrame> frames, SpeedRecord speed) = await Task.Run(() =>
                {
                    SpeedRecord used = SpeedOf(batch);
                    return (Generate(batch, used, clock, stop.Token).ToList().ToLookup(one => one.Video, one => one.Frame), used);
                }, stop.Token).ConfigureAwait(false);
                GenerationRecord[] records = [.. batch.Select((request, i) => RecordOf(request, clock) with { VaeTileSize = TileSizeOf(speed.Tiles[i]) })];
                for (int i = 0; i < batch.Length; i++)
                    videos[places[i]] = new(batch[i], [.. frames[i]], clock.Timings, clock.NotesOf(i), records[i]);
            }
            return videos;
        }
        finally
        {
            EndTurn();
        }
    }

    /// <summary>
    /// Tells which of several requests run together, as
    /// <see cref="GenerateAsync(IReadOnlyList{VideoRequest}, IProgress{GenerationProgress}, CancellationToken)"/> would run them now: so that
    /// a program can generate, and let go of, one batch after the other.
    /// </summary>
    /// <param name="requests">What would be generated.</param>
    /// <returns>The requests, every value filled, by batches: in the order of each batch's first, and within one in the order given.</returns>
    /// <exception cref="SoraException">The model cannot make one of the requests, or there is not the memory for it.</exception>
    /// <exception cref="ObjectDisposedException">The generator is disposed.</exception>
    public IReadOnlyList<IReadOnlyList<VideoRequest>> Batches(IReadOnlyList<VideoRequest> requests)
    {
        ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, this);
        VideoRequest[] resolved = Resolve(requests);
        return [.. Plan(resolved).Select(places => (IReadOnlyList<VideoRequest>)[.. places.Select(place => resolved[place])])];
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
        return RecordOf(request, _model.Fingerprint) with { VaeTileSize = TileSizeOf(_model.Cost.Tiles(LargestWindow(request.Resolve(Limits)), _model.MemoryForGeneration)) };
    }

    // The side in pixels that gives the same tiles again; null where there are none.
    private int? TileSizeOf(SpatialTiles tiles) => tiles.IsWhole ? null : tiles.SideFor(_model.Folder.Vae) * _model.Folder.Vae.SpatialStride;

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

    // The videos of a batch; one of several windows runs alone. Dispose scopes belong to a thread, so it runs on one.
    private IEnumerable<(int Video, VideoFrame Frame)> Generate(VideoRequest[] requests, SpeedRecord speed, StageClock clock, CancellationToken cancellationToken)
    {
        set_num_threads(_model.Threads);
        foreach (string note in (string[])[.. _model.TakeNotes(), .. _model.LoraNotes])
            clock.Note(note);
        IEnumerable<(int Video, VideoFrame Frame)> frames = requests is [{ IsInWindows: true } request]
            ? GenerateWindows(request, speed, clock, cancellationToken).Select(frame => (0, frame))
            : GenerateTogether(requests, speed, clock, null, cancellationToken);
        // Where a loop begins is chosen when all its frames are there.
        if (requests.Any(one => one.Loop))
        {
            frames = frames.GroupBy(one => one.Video)
                .SelectMany(video => (requests[video.Key].Loop ? LoopStart.AtLeastMotion(video.Select(one => one.Frame)) : video.Select(one => one.Frame)).Select(frame => (video.Key, frame)));
        }
        foreach ((int, VideoFrame) frame in frames)
            yield return frame;
        speed.Note(clock);
    }

    // The tiles in which each video's frames are decoded.
    private SpeedRecord SpeedOf(VideoRequest[] requests)
    {
        long? available = _model.MemoryForGeneration;
        return new([.. requests.Select(request => _model.Cost.Tiles(LargestWindow(request), available))], new());
    }

    // Window after window, each going on from the one before.
    private IEnumerable<VideoFrame> GenerateWindows(VideoRequest request, SpeedRecord speed, StageClock clock, CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        int count = WindowPlan.Of(request, Limits).Count(), index = 0;
        using var link = new WindowLink(request.FrameCount!.Value, Math.Max(1, WindowPlan.Of(request, Limits).Max(window => window.Known)), Limits.TemporalStride, speed.Tiles[0]);
        clock.Begin(GenerationStage.EncodingText);
        using (DisposeScope scope = NewDisposeScope())
        {
            string[] prompts = [.. request.LaterPrompts.Select(later => later.Prompt).Prepend(request.Prompt).Distinct()];
            (Tensor Text, Tensor Negative)[] texts = EncodeTexts([.. prompts.Select(prompt => request with { Prompt = prompt })], clock, new OverflowRetry(_model.RetriesInFloat32, clock));
            link.Keep(prompts, ([.. texts.Select(one => one.Text)], texts[0].Negative));
        }
        foreach (VideoWindow window in WindowPlan.Of(request, Limits))
        {
            clock.BeginWindow(index++, count);
            link.Begin(window);
            foreach ((_, VideoFrame frame) in GenerateTogether([window.RequestOf(request, Limits.TemporalStride, link.Tail)], speed, clock, link, cancellationToken))
            {
                if (frame.Index >= window.EndFrame)
                    continue;
                link.Keep(frame);
                yield return frame;
            }
        }
    }

    // The path of a video: text, given frames, noise, velocity, latent, frames. The videos of a batch take it side by side and are
    // decoded one after the other.
    private IEnumerable<(int Video, VideoFrame Frame)> GenerateTogether(VideoRequest[] requests, SpeedRecord speed, StageClock clock, WindowLink? link, CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        if (requests is [{ Draft: not null } drafted])
        {
            VideoRequest[] draft = [DraftedRequest.DraftOf(drafted, Limits)];
            SpeedRecord own = SpeedOf(draft) with { Cache = speed.Cache };
            requests = [DraftedRequest.RefinementOf(drafted, [.. GenerateTogether(draft, own, clock, null, cancellationToken).Select(one => one.Frame)])];
        }
        var retry = new OverflowRetry(_model.RetriesInFloat32, clock);
        if (link is null)
            clock.Begin(GenerationStage.EncodingText);
        (Tensor Text, Tensor Negative)[] texts = link?.Texts is { } kept ? [(kept.Texts[0], kept.Negative)] : EncodeTexts(requests, clock, retry); // 1 L D each
        cancellationToken.ThrowIfCancellationRequested();

        PreviewedData? preview = _model.PreviewEvery is { } every ? new(every, _model.PreviewColours(clock)) : null;
        Tensor[] noise = [.. requests.Select(NoiseOf)];                                   // 1 C t h w each
        using GivenLatents given = EncodeFrames(requests, noise, speed, clock, retry, link);
        cancellationToken.ThrowIfCancellationRequested();

        using ISolver solver = SolverOf(requests);
        int start = SourceNoise.FirstStep(solver.Schedule, requests[0].Strength ?? 1), evaluations = solver.Evaluations(start);
        var packed = new PackedSamples(noise);
        Tensor sample = packed.Join([.. noise.Select((own, i) => given.Sources[i] is { } source ? SourceNoise.Add(source, own, solver.Schedule, start) : own)]);
        EngineMemory.ReleaseUnused(); // What a stage leaves with the allocator is not the next one's.
        clock.Begin(GenerationStage.Denoising, evaluations);
        using (ExpertVelocity experts = VelocityOf(requests, speed.Cache, clock, retry, texts, given, noise))
        {
            Velocity velocity = packed.Around(experts.Predict);
            sample = FlowSampler.Sample(
                preview?.Around(velocity, data => Finish(packed, data, given)) ?? velocity, sample, solver,
                done => clock.Report(done, evaluations, preview?.Take()), start, cancellationToken);
        }
        Tensor[] latents = [.. Finish(packed, sample, given).Select(latent => Finite.Require(latent, "The transformer"))]; // 1 C t h w each
        link?.Keep(latents[0]);
        cancellationToken.ThrowIfCancellationRequested();

        int decoded = link?.Window.FirstFrame ?? 0, frameCount = link?.FrameCount ?? requests.Sum(request => VideoTimes.Of(request).Frames(request.FrameCount!.Value));
        EngineMemory.ReleaseUnused();
        clock.Begin(GenerationStage.Decoding, frameCount, decoded);
        for (int i = 0; i < requests.Length; i++)
        {
            VideoRequest request = requests[i];
            SpatialTiles tiles = speed.Tiles[i];
            int first = link is null ? decoded : 0;
            MaskComposite? composite = MaskComposite.Of(request);
            Tensor restored = _model.Normalizer.Restore(latents[i]);
            IEnumerable<Tensor> Decode(VideoAutoencoder vae) => link is not null ? link.DecodeChunks(vae, restored) : VideoTimes.Of(request).DecodeChunks(vae, restored, tiles);
            foreach (Tensor chunk in retry.Chunks(_model.Vae, "The video decoder", Decode)) // 1 3 ≤4 H W
            {
                using (chunk)
                {
                    foreach (VideoFrame frame in FrameTensors.ToFrames(chunk, decoded - first, request.FramesPerSecond!.Value))
                        yield return (i, composite?.Apply(frame) ?? frame);
                    decoded += (int)chunk.size(2);
                }
                clock.Report(Math.Min(decoded, frameCount), frameCount);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    // The latents to decode, from the samples after the last step.
    private static Tensor[] Finish(PackedSamples packed, Tensor sample, GivenLatents given) =>
        [.. packed.Split(sample).Select((one, i) => given.Conditionings[i].Finish(one))];

    // The vectors of the prompts and of the negative prompts, which without guidance are not read. A text is encoded once.
    private (Tensor Text, Tensor Negative)[] EncodeTexts(VideoRequest[] requests, StageClock clock, OverflowRetry retry) =>
        retry.Run(_model.TextEncoder, encoder =>
        {
            var prompts = new PromptEncoder(_model.Tokenizer, encoder, _model.Folder.Defaults.MaxSequenceLength, _model.Device);
            var known = new Dictionary<string, (Tensor Vectors, string? Note)>(StringComparer.Ordinal);
            return requests.Select((request, i) =>
            {
                (Tensor text, string? note) = Encode(request.Prompt);
                if (note is not null)
                    clock.Note(note, i);
                return (text, GuidanceOf(request).Any(guidance => guidance.IsOn) ? Encode(request.NegativePrompt!).Vectors : text);
            }).ToArray();

            (Tensor Vectors, string? Note) Encode(string prompt)
            {
                if (known.TryGetValue(prompt, out (Tensor, string?) found))
                    return found;
                string? note = null;
                Tensor vectors = Finite.Require(prompts.Encode(prompt, tokens => note = CutNote.Of(tokens)), "The text encoder");
                return known[prompt] = (vectors, note);
            }
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

    // The solver of a batch, whose requests agree in it.
    private ISolver SolverOf(VideoRequest[] requests)
    {
        VideoRequest any = requests[0];
        return Solvers.Create(any.Sampler!.Value, any.Steps!.Value, any.Shift!.Value, _model.Folder.Scheduler, noise: step =>
        {
            Tensor[] noise = [.. requests.Select(request => RequestNoise.OfStep(step, request, LatentShape.Of(request, _model.Folder.Vae), _model.Device))];
            return new PackedSamples(noise).Join(noise);
        });
    }

    // The steps at which the velocity is evaluated; a solver may do it several times a step.
    private SamplingStep[] StepsOf(VideoRequest request)
    {
        using ISolver solver = SolverOf([request]);
        int steps = solver.Schedule.Steps, start = SourceNoise.FirstStep(solver.Schedule, request.DraftStrength ?? request.Strength ?? 1);
        return [.. Enumerable.Range(start, steps - start)
            .SelectMany(i => Enumerable.Repeat(solver.Schedule.At(i), solver.Evaluations(i) - (i + 1 < steps ? solver.Evaluations(i + 1) : 0)))];
    }

    // How known frames take part, and the sources' latents.
    private GivenLatents EncodeFrames(VideoRequest[] requests, Tensor[] noise, SpeedRecord speed, StageClock clock, OverflowRetry retry, WindowLink? link)
    {
        if (link is not { CarriedCount: > 0 } && requests.All(request => request.KnownFrames.Count == 0 && request.Source is null))
        {
            var none = new GivenLatents();
            foreach (VideoRequest _ in requests)
                none.Add(new NoConditioning(), null);
            return none;
        }
        clock.Begin(GenerationStage.EncodingFrames);
        Tensor?[] images = [.. requests.Select(request => _model.ImageEncoder is null ? null : EncodeImages(_model.ImageEncoder, retry, request.KnownFrames))]; // images L D each
        return retry.Run(_model.Vae, vae =>
        {
            var given = new GivenLatents();
            try
            {
                for (int i = 0; i < requests.Length; i++)
                {
                    VideoRequest request = requests[i];
                    var encoder = new FrameEncoder(vae, _model.Normalizer, _model.Device, speed.Tiles[i]);
                    Tensor? source = request.Source is { } video ? encoder.Encode(video, request.Width!.Value, request.Height!.Value) : null;
                    KnownRegion? kept = request.Mask is { } mask ? new(source!, KeptCells.Of(mask, LatentShape.Of(request, _model.Folder.Vae), _model.Folder.TemporalStride)) : null;
                    given.Add(
                        Conditionings.Create(_model.Folder, request.KnownFrames, noise[i], encoder, images[i], kept, link is { CarriedCount: > 0 } ? link.Carried() : null, link?.CarriedAt ?? 0),
                        source);
                }
                return given;
            }
            catch
            {
                given.Dispose();
                throw;
            }
        });
    }

    // What the image encoder makes of known frames, the first in time first.
    private Tensor EncodeImages(ModelPart<ClipVisionEncoder> part, OverflowRetry retry, IEnumerable<KnownFrame> known)
    {
        using DisposeScope scope = NewDisposeScope();
        VideoFrame[] frames = [.. known.OrderBy(frame => frame.Index).Select(frame => frame.Frame)];
        Tensor pixels = new ClipImageProcessor(_model.Folder.ImageProcessor!).Process(frames, _model.Device);
        return scope.MoveToOuter(retry.Run(part, encoder => Finite.Require(encoder.Encode(pixels), "The image encoder")));
    }

    private ExpertVelocity VelocityOf(VideoRequest[] requests, StepCacheCount skipped, StageClock clock, OverflowRetry retry, (Tensor Text, Tensor Negative)[] texts, GivenLatents given, Tensor[] noise) =>
        new(_model.Experts, clock, retry, (network, expert) => new(
            network,
            [.. requests.Select((request, i) => new GuidedVideo(
                GuidanceOf(request)[expert], texts[i].Text, texts[i].Negative, Patchify.GridOf(noise[i], network.Config.PatchSize),
                given.Conditionings[i], VideoTimes.Of(request)))],
            _model.Device, _model.Folder.Scheduler.Prediction,
            requests[0].StepCache is > 0 and var change ? () => new StepCache(change, skipped) : null));

    // One for each expert.
    private static Guidance[] GuidanceOf(VideoRequest request)
    {
        var first = new Guidance(request.GuidanceScale!.Value, request.GuidanceInterval, request.GuidanceRescale!.Value);
        return request.LowNoiseGuidanceScale is { } second ? [first, first with { Scale = second }] : [first];
    }

    internal static int Branches(VideoRequest request) => GuidanceOf(request).Any(guidance => guidance.IsOn) ? 2 : 1;

    private VideoRequest[] Resolve(IReadOnlyList<VideoRequest> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        return [.. requests.Select(request => request.Resolve(Limits))];
    }

    /// <exception cref="SoraException">One of the requests does not fit into memory by itself.</exception>
    private IReadOnlyList<IReadOnlyList<int>> Plan(VideoRequest[] requests)
    {
        long? available = _model.MemoryForGeneration;
        RequireMemory(requests, available);
        return PackedBatches.Of(
            requests,
            _model.BatchSize ?? (available is null ? 1 : int.MaxValue),
            request => _model.Cost.Tokens(request) * Branches(request),
            batch => available is not { } memory || _model.Cost.Peak(_model.Cost.Memory([.. batch.Select(request => (request, Branches(request)))], memory)) <= memory);
    }

    /// <exception cref="SoraException">One of the requests does not fit into memory.</exception>
    private void RequireMemory(VideoRequest[] requests, long? available)
    {
        if (available is not { } memory)
            return;
        foreach (VideoRequest request in requests)
            _model.Cost.RequireFits(LargestWindow(request), Branches(request), memory);
    }

    private void Produce(VideoRequest request, IProgress<GenerationProgress>? progress, ChannelWriter<VideoFrame> frames, CancellationToken cancellationToken)
    {
        try
        {
            RequireMemory([request], _model.MemoryForGeneration);
            foreach ((_, VideoFrame frame) in Generate([request], SpeedOf([request]), new StageClock(progress), cancellationToken))
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
