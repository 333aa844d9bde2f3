using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sora.Conditioning;
using Sora.Continuation;
using Sora.Estimation;
using Sora.Frames;
using Sora.Layers;
using Sora.Sampling;
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

    /// <summary>The sizes that the model can make, and what it makes by default with its options.</summary>
    public ModelLimits Limits => _model.Limits;

    /// <summary>Reads what a model can make from its configs, without loading weights.</summary>
    /// <param name="modelFolder">The folder.</param>
    /// <param name="fewSteps"><see cref="VideoGeneratorOptions.FewSteps"/> with which it is going to be loaded; null: with few steps where the folder brings them.</param>
    /// <exception cref="SoraException">The folder is missing or damaged, or few steps are asked for and it has none.</exception>
    public static ModelLimits ReadLimits(string modelFolder, bool? fewSteps = null) => ModelFolder.Open(modelFolder).LimitsOf(fewSteps);

    /// <summary>
    /// Loads a model of any layout. A large model is opened and checked only, and its parts are loaded when a
    /// generation needs them: see <see cref="VideoGeneratorOptions.KeepComponents"/>.
    /// </summary>
    /// <param name="modelFolder">A folder with <c>model_index.json</c>, of the original release or of single files, or a transformer's file beside which the other parts are.</param>
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
        return RequestEstimate.Of(_model, request.Resolve(Limits), _rate.Value);
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
                    var used = SpeedRecord.Of(batch, _model);
                    return (new GenerationPipeline(_model, clock, stop.Token).Run(batch, used).ToList().ToLookup(one => one.Video, one => one.Frame), used);
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
        // Of an extension the frames that the model needs are the given video's.
        return RecordOf(request, _model.Fingerprint) with { VaeTileSize = TileSizeOf(_model.Cost.Tiles(WindowPlan.LargestOf(request.Resolve(Limits with { KnownFrames = KnownFrameRule.Any }), Limits), _model.MemoryForGeneration)) };
    }

    // The side in pixels that gives the same tiles again; null where there are none.
    private int? TileSizeOf(SpatialTiles tiles) => tiles.IsWhole ? null : tiles.SideFor(_model.Folder.Vae) * _model.Folder.Vae.SpatialStride;

    // A video that is finished is not lost because its model's files have gone since.
    private GenerationRecord RecordOf(VideoRequest request, StageClock clock)
    {
        try
        {
            return RecordOf(request, _model.Fingerprint);
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
            FewSteps = _model.FewSteps,
            Loras = _model.Loras,
            GivenFrames = GenerationRecord.HashOf(request),
        };

    /// <summary>
    /// Replaces the active LoRAs. The weights are those of the model's files with these LoRAs added, whatever was active
    /// before; an empty list gives the model as it was loaded without any, bit for bit. The model's own LoRA for few steps is none of them, and stays. Waits for a generation that runs.
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
            request => _model.Cost.Tokens(request) * Guidance.BranchesOf(request),
            batch => available is not { } memory || _model.Cost.Peak(_model.Cost.Memory([.. batch.Select(request => (request, Guidance.BranchesOf(request)))], memory)) <= memory);
    }

    /// <exception cref="SoraException">One of the requests does not fit into memory.</exception>
    private void RequireMemory(VideoRequest[] requests, long? available)
    {
        if (available is not { } memory)
            return;
        foreach (VideoRequest request in requests)
            _model.Cost.RequireFits(WindowPlan.LargestOf(request, Limits), Guidance.BranchesOf(request), memory);
    }

    private void Produce(VideoRequest request, IProgress<GenerationProgress>? progress, ChannelWriter<VideoFrame> frames, CancellationToken cancellationToken)
    {
        try
        {
            RequireMemory([request], _model.MemoryForGeneration);
            foreach ((_, VideoFrame frame) in new GenerationPipeline(_model, new(progress), cancellationToken).Run([request], SpeedRecord.Of([request], _model)))
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
