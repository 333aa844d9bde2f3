namespace Sora.Training;

/// <summary>The batches of a flow training. Each is a pure function of its number: a training resumes by its step alone.</summary>
internal interface IFlowBatches : IDisposable
{
    /// <summary>The words of all captions with how often each occurs, of which a tokenizer is built.</summary>
    IReadOnlyDictionary<string, long> Vocabulary { get; }

    /// <summary>The captions as people wrote them, each once; none for the drawn world, whose captions fit.</summary>
    IEnumerable<string> WrittenCaptions { get; }

    /// <summary>Makes a batch; its tensors belong to the current dispose scope.</summary>
    /// <param name="number">Which; the step's number in a training of one process.</param>
    FlowBatch Draw(long number);

    /// <summary>Latents [1, C, t, h, w] of a few of the clips; they belong to the current dispose scope.</summary>
    /// <param name="count">How many at most.</param>
    Tensor[] Examples(int count);

    /// <summary>The number of batches of clips that training does not draw; 0 where none are kept apart.</summary>
    int ValidationBatches { get; }

    /// <summary>Makes one of them: the same clips with the same noise every time, at level 0. Its tensors belong to the current dispose scope.</summary>
    /// <param name="number">Which, from 0.</param>
    FlowBatch DrawValidation(int number);
}
