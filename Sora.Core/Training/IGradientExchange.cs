namespace Sora.Training;

/// <summary>
/// Joins the gradients of trainings that run side by side on batches of their own. Every one takes the same steps, so that
/// the weights stay equal. <see cref="TrainingLoop"/> calls it once a step, after all backward passes and before clipping.
/// </summary>
public interface IGradientExchange
{
    /// <summary>Which of the trainings this is, from 0; the first writes checkpoints, metrics and samples.</summary>
    int Rank { get; }

    /// <summary>How many trainings there are.</summary>
    int Count { get; }

    /// <summary>Replaces tensors by those of the first training, bit for bit: the weights and the optimiser's state at the start.</summary>
    /// <param name="tensors">Contiguous tensors, of the same shapes and in the same order everywhere.</param>
    void Broadcast(IEnumerable<Tensor> tensors);

    /// <summary>Told before the last backward pass of a step: gradients that <see cref="Ready"/> names in it are whole.</summary>
    void BeginLastBackward();

    /// <summary>
    /// Told during a backward pass that nothing will be added to some gradients any more, so that their exchange can begin.
    /// Optional: <see cref="Average(IReadOnlyDictionary{string, Parameter})"/> exchanges what was not named.
    /// </summary>
    /// <param name="parameters">At least one; the same list each step, in the same order everywhere.</param>
    void Ready(IReadOnlyList<Parameter> parameters);

    /// <summary>Replaces every gradient by its mean over all trainings; called by all of them with the same names.</summary>
    /// <param name="parameters">What is trained, by name; one without a gradient here that has one elsewhere counts as one of zeros, and has one afterwards.</param>
    void Average(IReadOnlyDictionary<string, Parameter> parameters);

    /// <summary>The mean of a number over all trainings: the loss, and whether to stop.</summary>
    double Average(double value);
}
